/**
 * What a client says of what it was sent: PUBACK, PUBREC and PUBCOMP, each to the lane that the
 * packet identifier belongs to. PUBRELs go out in the order of the PUBRECs [MQTT-4.6.0-4].
 */
import { isDeliveryId } from '../delivery/packet-id.ts'
import type { DeviceSession } from '../delivery/session.ts'
import { LIMITS } from '../limits.ts'
import { Acknowledgements } from './acknowledgements.ts'
import type { Frame } from './framer.ts'
import type { OrdinarySession } from './ordinary/session.ts'
import type { Outbox } from './outbox.ts'
import {
  ackPacketId,
  ackReason,
  encodeAck,
  FAILURE,
  PACKET,
  packetType,
  REASON,
  type Version,
} from './wire.ts'

/** The connection of the client. */
type Receiver = {
  readonly version: Version
  disconnect(reason: number): void
  readonly session: DeviceSession | undefined
  readonly ordinary: OrdinarySession | undefined
  readonly outbox: Pick<Outbox, 'push'>
}

export class DeliveryAnswers {
  readonly #receiver: Receiver
  readonly #releases: Acknowledgements
  #unknown = 0

  constructor(receiver: Receiver) {
    this.#receiver = receiver
    this.#releases = new Acknowledgements((packet) => receiver.outbox.push(packet))
  }

  take(frame: Frame): void {
    const packetId = ackPacketId(frame)
    const isReceived = packetType(frame.bytes) === PACKET.pubrec && ackReason(frame) < FAILURE
    if (isReceived) this.#received(packetId)
    else this.#completed(packetId)
  }

  /** There is room again: in the window, or because the socket has taken what waited. */
  resume(): void {
    this.#receiver.ordinary?.pump()
    this.#receiver.session?.resume()
  }

  #completed(packetId: number): void {
    const { session, ordinary } = this.#receiver
    const isKnown = isDeliveryId(packetId)
      ? session?.completed(packetId)
      : ordinary?.acknowledged(packetId)
    if (isKnown === true) this.resume()
    else this.#countUnknown()
  }

  /** What is acknowledged twice, or late: one is nothing, a flood is. */
  #countUnknown(): void {
    this.#unknown += 1
    if (this.#unknown > LIMITS.unknownAcksMax) this.#receiver.disconnect(REASON.protocolError)
  }

  #received(packetId: number): void {
    const { session, ordinary, version } = this.#receiver
    const slot = this.#releases.expect(packetId)
    const release = () => this.#releases.decide(slot, encodeAck('pubrel', packetId, version))
    if (isDeliveryId(packetId)) session?.received(packetId, release)
    else ordinary?.received(packetId, release)
  }
}
