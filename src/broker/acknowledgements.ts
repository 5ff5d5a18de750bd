/**
 * What a client waits for, in the order in which it has asked: PUBACK and PUBREC in the order of
 * its publishes [MQTT-4.6.0-2] [MQTT-4.6.0-3], PUBREL in the order of its PUBRECs [MQTT-4.6.0-4].
 * Each goes out only when what it acknowledges is safe, and not before those in front of it.
 */
import { LIMITS } from '../limits.ts'

/** The place of an acknowledgement in the order. */
export type Slot = { readonly packetId: number; packet: Buffer | undefined }

export class Acknowledgements {
  readonly #send: (packet: Buffer) => void
  readonly #slots: Slot[] = []

  /** @param send writes an acknowledgement to the client */
  constructor(send: (packet: Buffer) => void) {
    this.#send = send
  }

  /** Whether the client has as much under way as it may (Receive Maximum). */
  get isFull(): boolean {
    return this.#slots.length >= LIMITS.receiveMax
  }

  /** Keeps the place of an acknowledgement that is not decided yet. */
  expect(packetId: number): Slot {
    const slot: Slot = { packetId, packet: undefined }
    this.#slots.push(slot)
    return slot
  }

  /** The acknowledgement for this place is decided. */
  decide(slot: Slot, packet: Buffer): void {
    slot.packet = packet
    for (let next = this.#slots[0]; next?.packet !== undefined; next = this.#slots[0]) {
      this.#slots.shift()
      this.#send(next.packet)
    }
  }
}
