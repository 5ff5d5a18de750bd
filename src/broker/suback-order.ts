/**
 * aedes gathers the filters of a SUBSCRIBE as keys of a plain object: equal ones become one, and
 * whole numbers move to the front. Here the codes of its SUBACK are put back to the filters that
 * the client has asked for, one for each and in their order [MQTT-3.8.4-6] [MQTT-3.9.3-1].
 */
import type { Frame } from './framer.ts'
import { encodeSuback, type Subscribe } from './subscribe.ts'
import { ackPacketId, FAILURE, type Version } from './wire.ts'

export class SubackOrder {
  /** Packet identifier to filters, where aedes has them otherwise. */
  readonly #asked = new Map<number, readonly string[]>()

  /** A SUBSCRIBE that aedes gets. */
  note({ packetId, filters }: Subscribe): void {
    const gathered = gatheredBy(filters)
    if (filters.some((filter, at) => filter !== gathered[at])) this.#asked.set(packetId, filters)
  }

  /** A SUBACK of aedes as the client has to get it. */
  restored(frame: Frame, version: Version): Buffer {
    const packetId = ackPacketId(frame)
    const filters = this.#asked.get(packetId)
    if (filters === undefined) return frame.bytes
    this.#asked.delete(packetId)
    const gathered = gatheredBy(filters)
    const given = frame.bytes.subarray(frame.bytes.length - gathered.length)
    const codes = filters.map((filter) => given[gathered.indexOf(filter)] ?? FAILURE)
    return encodeSuback(packetId, codes, version)
  }
}

function gatheredBy(filters: readonly string[]): string[] {
  return Object.keys(Object.fromEntries(filters.map((filter) => [filter, true])))
}
