/**
 * The acknowledgements that a client waits for, in the order of its publishes
 * [MQTT-4.6.0-2] [MQTT-4.6.0-3]. Each goes out only when its message is safe, whichever lane that
 * message takes: ours to a mailbox, or aedes' to an ordinary topic.
 */
import { LIMITS } from '../limits.ts'

/** The place of an acknowledgement in the order. */
export type Slot = { readonly packetId: number; packet: Buffer | undefined; isReady: boolean }

export class Acknowledgements {
  readonly #send: (packet: Buffer) => void
  #slots: Slot[] = []

  /** @param send writes an acknowledgement to the client */
  constructor(send: (packet: Buffer) => void) {
    this.#send = send
  }

  /** Whether the client has as many publishes under way as it may (Receive Maximum). */
  get isFull(): boolean {
    return this.#slots.length >= LIMITS.receiveMax
  }

  /** Keeps the place of an acknowledgement that is not decided yet. */
  expect(packetId: number): Slot {
    const slot: Slot = { packetId, packet: undefined, isReady: false }
    this.#slots.push(slot)
    return slot
  }

  /** The acknowledgement for this place is decided. */
  decide(slot: Slot, packet: Buffer): void {
    slot.packet = packet
    slot.isReady = true
    this.#release()
  }

  /**
   * aedes has written an acknowledgement.
   * @param isDecided whether it need not wait for `published`
   * @returns false where nobody expects it
   */
  hold(packetId: number, packet: Buffer, isDecided: boolean): boolean {
    const slot = this.#slots.find((one) => one.packetId === packetId && one.packet === undefined)
    if (slot === undefined) return false
    slot.packet = packet
    if (isDecided) slot.isReady = true
    this.#release()
    return true
  }

  /** aedes has stored and passed on an ordinary message. */
  published(packetId: number): void {
    const slot = this.#slots.find((one) => one.packetId === packetId && !one.isReady)
    if (slot === undefined) return
    slot.isReady = true
    this.#release()
  }

  #release(): void {
    for (;;) {
      const slot = this.#slots[0]
      if (slot === undefined || !slot.isReady || slot.packet === undefined) return
      this.#slots.shift()
      this.#send(slot.packet)
    }
  }
}
