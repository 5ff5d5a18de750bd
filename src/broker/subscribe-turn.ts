/**
 * One SUBSCRIBE or UNSUBSCRIBE of a client at a time, since aedes works on several at once and then
 * loses track of a filter that is in both: the client would have it for ever, or never.
 *
 * aedes also gathers the filters of a SUBSCRIBE as keys of a plain object: equal ones become one,
 * and whole numbers move to the front. Here the codes of its SUBACK are put back to the filters that
 * the client has asked for, one for each and in their order [MQTT-3.8.4-6] [MQTT-3.9.3-1].
 */
import type { Frame } from './framer.ts'
import { encodeSuback, type Subscribe } from './subscribe.ts'
import { ackPacketId, FAILURE, PACKET, packetType, type Version } from './wire.ts'

export class SubscribeTurn {
  readonly #ended: () => void
  #isTaken = false
  /** The filters of a SUBSCRIBE, where aedes has them otherwise. */
  #asked: readonly string[] | undefined

  /** @param ended called when what waited may go on */
  constructor(ended: () => void) {
    this.#ended = ended
  }

  /** Whether aedes is at work; what comes next has to wait. */
  get isTaken(): boolean {
    return this.#isTaken
  }

  /** aedes gets a SUBSCRIBE, or an UNSUBSCRIBE where nothing is given. */
  take(asked?: Subscribe): void {
    this.#isTaken = true
    const filters = asked?.filters ?? []
    const gathered = gatheredBy(filters)
    const isOrdered = filters.every((filter, at) => filter === gathered[at])
    this.#asked = isOrdered ? undefined : filters
  }

  /** aedes is done: its SUBACK or UNSUBACK as the client has to get it. */
  end(frame: Frame, version: Version): Buffer {
    const filters = this.#asked
    this.#isTaken = false
    this.#asked = undefined
    this.#ended()
    if (filters === undefined) return frame.bytes
    const gathered = gatheredBy(filters)
    const given = frame.bytes.subarray(frame.bytes.length - gathered.length)
    const codes = filters.map((filter) => given[gathered.indexOf(filter)] ?? FAILURE)
    return encodeSuback(ackPacketId(frame), codes, version)
  }
}

/** Whether a packet of aedes ends a turn. */
export function endsTurn({ bytes }: Frame): boolean {
  const type = packetType(bytes)
  return type === PACKET.suback || type === PACKET.unsuback
}

function gatheredBy(filters: readonly string[]): string[] {
  return Object.keys(Object.fromEntries(filters.map((filter) => [filter, true])))
}
