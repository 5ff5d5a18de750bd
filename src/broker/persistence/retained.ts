/**
 * Retained messages: the topics in memory, the packets in the store. At the bound a message for a
 * new topic is delivered but not kept, which is counted and told; on a full disk none is kept.
 * What the relay says of itself (`$SYS`) changes all the time and is kept in memory alone.
 */
import type { Log } from '../../log.ts'
import type { Store } from '../../store/store.ts'
import { ownerOf, retainedKey } from './keys.ts'
import { LevelTrie } from './level-trie.ts'
import type { LossNotice } from './loss-notice.ts'
import { decodePacket, encodePacket, type Packet } from './packet.ts'

/** Only the relay publishes there, a bounded number of topics. */
const RELAY_TOPICS = '$SYS/'

export class Retained {
  readonly #store: Store
  readonly #log: Log
  readonly #refused: LossNotice
  readonly #max: number
  readonly #readAheadMax: number
  readonly #topics = new LevelTrie<string>()
  readonly #ofRelay = new LevelTrie<Packet>()

  constructor(
    parts: { store: Store; log: Log; refused: LossNotice },
    options: { retainedMax: number; readAheadMax: number },
  ) {
    this.#store = parts.store
    this.#log = parts.log
    this.#refused = parts.refused
    this.#max = options.retainedMax
    this.#readAheadMax = options.readAheadMax
  }

  /** Called for each stored pair of the table `retained` while the store starts. */
  visit(key: string): void {
    const topic = ownerOf(key)
    this.#topics.set(topic, topic)
  }

  get size(): number {
    return this.#topics.size
  }

  /** Whether a retained message for this topic would be kept. */
  hasRoom(topic: string): boolean {
    if (topic.startsWith(RELAY_TOPICS)) return true
    if (this.#store.isFull) return false
    return this.#topics.size < this.#max || this.#topics.get(topic) !== undefined
  }

  /** Keeps the packet in place of the topic's last one; one without payload only removes that. */
  set(packet: Packet): void {
    const { topic = '', payload = '' } = packet
    if (topic.startsWith(RELAY_TOPICS)) {
      this.#ofRelay.set(topic, packet)
      return
    }
    const isKnown = this.#topics.get(topic) !== undefined
    const key = retainedKey(topic)
    if (payload.length === 0) {
      if (isKnown) this.#store.remove(key)
      this.#topics.delete(topic)
    } else if (!this.hasRoom(topic)) {
      this.#refused.count()
    } else if (isKnown) {
      this.#store.replace(key, encodePacket(packet))
    } else {
      this.#store.insert(key, encodePacket(packet))
      this.#topics.set(topic, topic)
    }
  }

  /** The retained packets that each of the filters matches, filter by filter. */
  async *matching(filters: readonly string[]): AsyncGenerator<Packet, void, undefined> {
    try {
      for (const filter of filters) {
        for await (const value of this.#values(filter)) yield decodePacket(value)
        // A packet that is handed over is changed there.
        for (const packet of this.#ofRelay.matchedBy(filter)) yield { ...packet }
      }
    } catch (cause) {
      // aedes listens to no error of this stream: it would end the process.
      this.#log.warn({ error: cause, filters }, 'retained messages could not be read')
    }
  }

  async *#values(filter: string): AsyncGenerator<Uint8Array, void, undefined> {
    let keys: string[] = []
    for (const topic of this.#topics.matchedBy(filter)) {
      keys.push(retainedKey(topic))
      if (keys.length < this.#readAheadMax) continue
      yield* this.#read(keys)
      keys = []
    }
    yield* this.#read(keys)
  }

  async *#read(keys: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
    if (keys.length === 0) return
    for (const value of await this.#store.getMany(keys)) {
      // Removed since the index was read.
      if (value !== undefined) yield value
    }
  }
}
