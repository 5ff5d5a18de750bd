/**
 * Retained messages: the topics in memory, the messages in the store. At the bound a message for a
 * new topic is delivered but not kept, which is counted and told; on a full disk none is kept.
 * What the relay says of itself (`$SYS`) changes all the time and is kept in memory alone.
 */
import type { Store } from '../../store/store.ts'
import { ownerOf, retainedKey } from './keys.ts'
import { LevelTrie } from './level-trie.ts'
import type { LossNotice } from './loss-notice.ts'
import { decodeDelivery, encodeDelivery, kept, type OrdinaryMessage } from './message.ts'

/** Only the relay publishes there, a bounded number of topics. */
const RELAY_TOPICS = '$SYS/'

export class Retained {
  readonly #store: Store
  readonly #refused: LossNotice
  readonly #max: number
  readonly #topics = new LevelTrie<string>()
  readonly #ofRelay = new LevelTrie<OrdinaryMessage>()

  constructor(parts: { store: Store; refused: LossNotice }, options: { retainedMax: number }) {
    this.#store = parts.store
    this.#refused = parts.refused
    this.#max = options.retainedMax
  }

  /** Called for each stored key of the table `retained` while the store starts. */
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

  /** Keeps the message in place of the topic's last one; one without payload only removes that. */
  set(message: OrdinaryMessage): void {
    const { topic, payload } = message
    const delivery = { ...message, identifiers: [] }
    if (topic.startsWith(RELAY_TOPICS)) {
      this.#ofRelay.set(topic, kept(delivery))
      return
    }
    const isKnown = this.#topics.get(topic) !== undefined
    if (payload.length === 0) this.remove(topic)
    else if (!this.hasRoom(topic)) this.#refused.count()
    else if (isKnown) this.#store.replace(retainedKey(topic), encodeDelivery(delivery))
    else {
      this.#store.insert(retainedKey(topic), encodeDelivery(delivery))
      this.#topics.set(topic, topic)
    }
  }

  /** Forgets the message of a topic. */
  remove(topic: string): void {
    if (this.#topics.get(topic) === undefined) return
    this.#store.remove(retainedKey(topic))
    this.#topics.delete(topic)
  }

  /** The topics that a filter matches, found one at a time: what changes meanwhile may be in it. */
  *topics(filter: string): Generator<string, void, undefined> {
    yield* this.#topics.matchedBy(filter)
    for (const { topic } of this.#ofRelay.matchedBy(filter)) yield topic
  }

  /** The messages of some topics; `undefined` for one that is gone. */
  async read(topics: readonly string[]): Promise<(OrdinaryMessage | undefined)[]> {
    const stored = topics.filter((topic) => this.#ofRelay.get(topic) === undefined)
    const values = await this.#store.getMany(stored.map(retainedKey))
    const byTopic = new Map(stored.map((topic, at) => [topic, values[at]]))
    return topics.map((topic) => {
      const value = byTopic.get(topic)
      return value === undefined ? this.#ofRelay.get(topic) : decodeDelivery(value)
    })
  }
}
