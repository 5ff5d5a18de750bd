/**
 * What aedes delivers to one client: messages on ordinary topics. aedes knows neither how many of
 * them the client takes unacknowledged nor how long a packet may be; both is seen to here.
 */
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Connect } from './connect.ts'
import type { Frame } from './framer.ts'
import { encodeAck, REASON } from './wire.ts'

type Limits = Pick<Connect, 'clientId' | 'version' | 'receiveMaximum' | 'packetBytesMax'>

/** What deliveries need of their connection. */
export interface DeliveryOutlet {
  /** Messages from mailboxes that the client has not acknowledged: they share its window. */
  readonly mailInFlight: number
  readonly isCongested: boolean
  write(packet: Buffer): void
  /** Gives aedes a packet as if it came from the client. */
  giveAedes(packet: Buffer): void
  /** More waits than a client may leave waiting. */
  tooSlow(): void
}

export class OrdinaryDeliveries {
  readonly #outlet: DeliveryOutlet
  readonly #log: Log
  readonly #limits: Limits
  readonly #inFlight = new Set<number>()
  #waiting: { readonly packet: Buffer; readonly packetId: number }[] = []
  #waitingBytes = 0

  constructor(parts: { outlet: DeliveryOutlet; log: Log }, limits: Limits) {
    this.#outlet = parts.outlet
    this.#log = parts.log
    this.#limits = limits
  }

  /** Publishes with QoS 1 and 2 that the client has not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Whether a publish under this packet identifier is not acknowledged. */
  isInFlight(packetId: number): boolean {
    return this.#inFlight.has(packetId)
  }

  /** Whether any wait for the client's window: they go before mail that is not on its way yet. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** aedes has written a PUBLISH. */
  publish({ bytes, bodyAt }: Frame): void {
    const qos = ((bytes[0] ?? 0) >> 1) & 0x03
    const packetId = qos === 0 ? 0 : bytes.readUInt16BE(bodyAt + 2 + bytes.readUInt16BE(bodyAt))
    if (bytes.length > this.#limits.packetBytesMax) this.#leaveOut(bytes, qos, packetId)
    else if (qos === 0) this.#pass(bytes)
    else this.#deliver(bytes, packetId)
  }

  /** QoS 0 is for the moment; a reader that is behind does without. */
  #pass(packet: Buffer): void {
    if (!this.#outlet.isCongested) this.#outlet.write(packet)
  }

  #deliver(packet: Buffer, packetId: number): void {
    this.#waiting.push({ packet, packetId })
    this.#waitingBytes += packet.length
    this.pump()
    if (this.#waitingBytes > LIMITS.outboxBytesMax) this.#outlet.tooSlow()
  }

  /** The client is done with a packet identifier: PUBACK, PUBCOMP, or a PUBREC that refuses. */
  acknowledged(packetId: number): void {
    if (this.#inFlight.delete(packetId)) this.pump()
  }

  /** Sends as much as Receive Maximum allows [MQTT-3.3.4-9]. */
  pump(): void {
    const { receiveMaximum } = this.#limits
    while (this.#inFlight.size + this.#outlet.mailInFlight < receiveMaximum) {
      const [next] = this.#waiting
      // After 32,768 others an identifier comes round, and may still be in use.
      if (next === undefined || this.#inFlight.has(next.packetId)) return
      this.#waiting.shift()
      this.#waitingBytes -= next.packet.length
      this.#inFlight.add(next.packetId)
      this.#outlet.write(next.packet)
    }
  }

  /** To aedes it is as if the client had the message [MQTT-3.1.2-25]. */
  #leaveOut(packet: Buffer, qos: number, packetId: number): void {
    const { clientId, version } = this.#limits
    this.#log.info(
      { client: clientId, bytes: packet.length },
      'a message is longer than its reader takes (Maximum Packet Size), and was left out',
    )
    if (qos === 0) return
    const type = qos === 1 ? 'puback' : 'pubrec'
    this.#outlet.giveAedes(encodeAck(type, packetId, version, REASON.quotaExceeded))
  }
}
