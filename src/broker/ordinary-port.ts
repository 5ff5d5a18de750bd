/** A connection as a session of ordinary topics sees it. */
import type { Outgoing } from '../delivery/port.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Connection } from './connection.ts'
import type { Gate } from './gate.ts'
import type { SessionPort } from './ordinary/session.ts'
import { encodePublish } from './publish.ts'
import { encodeAck, REASON, type Version } from './wire.ts'

/** Encodes what goes to many in a row, each of them the same, once for each protocol version. */
export class Copies {
  #outgoing: Outgoing | undefined
  readonly #packets = new Map<Version, Buffer>()

  /** @param outgoing the same object for the same packet */
  packet(outgoing: Outgoing, version: Version): Buffer {
    if (this.#outgoing !== outgoing) {
      this.#outgoing = outgoing
      this.#packets.clear()
    }
    const packet = this.#packets.get(version) ?? encodePublish(outgoing, version)
    this.#packets.set(version, packet)
    return packet
  }
}

export class OrdinaryPort implements SessionPort {
  readonly #connection: Connection
  readonly #gate: Gate
  readonly #copies: Copies
  readonly #log: Log

  constructor(connection: Connection, parts: { gate: Gate; copies: Copies; log: Log }) {
    this.#connection = connection
    this.#gate = parts.gate
    this.#copies = parts.copies
    this.#log = parts.log
  }

  get receiveMaximum(): number {
    return this.#connection.connect?.receiveMaximum ?? LIMITS.inFlightPerDeviceMax
  }

  get mailInFlight(): number {
    return this.#connection.mailInFlight
  }

  get isCongested(): boolean {
    return this.#connection.isCongested
  }

  mayRead(topic: string): boolean {
    return this.#gate.mayRead(this.#connection, topic)
  }

  publish(outgoing: Outgoing): boolean {
    const packet = this.#copies.packet(outgoing, this.#connection.version)
    if (this.#connection.takes(packet)) {
      this.#connection.outbox.push(packet)
      return true
    }
    // To its session it is as if the client had the message [MQTT-3.1.2-25].
    const { assignedId: client } = this.#connection
    this.#log.info(
      { client, bytes: packet.length, topic: outgoing.topic },
      'a message is longer than its reader takes (Maximum Packet Size), and was left out',
    )
    return false
  }

  release(packetId: number): void {
    this.#connection.outbox.push(encodeAck('pubrel', packetId, this.#connection.version))
  }

  tooSlow(): void {
    this.#connection.disconnect(REASON.quotaExceeded)
  }
}
