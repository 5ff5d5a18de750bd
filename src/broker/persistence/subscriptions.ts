/**
 * The subscriptions of sessions that outlive their connection: all in memory, to be matched at
 * every publish, and in the store for the next start.
 */
import { decode, encode } from 'cborg'
import { RelayError } from '../../errors.ts'
import { shown } from '../../message/names.ts'
import { isFilter } from '../../message/topic.ts'
import type { Store } from '../../store/store.ts'
import { filterOf, ownerOf, sessionKey } from './keys.ts'
import { LevelTrie } from './level-trie.ts'

/** What a subscription asks for; `topic` is its filter, as aedes calls it. */
export type Subscription = {
  readonly topic: string
  readonly qos: number
  /** MQTT 5: Retain Handling, Retain As Published, No Local, Subscription Identifier. */
  readonly rh?: number | undefined
  readonly rap?: boolean | undefined
  readonly nl?: boolean | undefined
  readonly subscriptionIdentifier?: number | undefined
}

/** A subscription and whose it is. */
export type SessionSubscription = Subscription & { readonly clientId: string }

type Sessions = Map<string, Map<string, SessionSubscription>>

export class Subscriptions {
  readonly #store: Store
  readonly #filtersMax: number
  /** Client id to filter to subscription. */
  readonly #sessions: Sessions = new Map()
  /** Filters with QoS 1 or 2, by client id: QoS 0 is never queued. */
  readonly #queueing = new LevelTrie<Map<string, SessionSubscription>>()
  #queueingSize = 0

  constructor(parts: { store: Store }, options: { filtersPerSessionMax: number }) {
    this.#store = parts.store
    this.#filtersMax = options.filtersPerSessionMax
  }

  /** Called for each stored pair of the table `session` while the store starts. */
  visit(key: string, value: Uint8Array): void {
    const options = decode(value) as Omit<Subscription, 'topic'>
    this.#set({ clientId: ownerOf(key), topic: filterOf(key), ...options })
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Subscriptions for which messages are queued. */
  get queueing(): number {
    return this.#queueingSize
  }

  /**
   * Adds or replaces subscriptions of a session; of two with one filter the last counts. aedes
   * adds all of a packet before it looks at each; what is no filter, or too deep, is left out.
   * @throws FILTERS_FULL and adds none
   */
  add(clientId: string, given: readonly Subscription[]): void {
    const subscriptions = given.filter(({ topic }) => isFilter(topic))
    const known = this.#sessions.get(clientId)
    const filters = new Set(known?.keys())
    for (const { topic } of subscriptions) filters.add(topic)
    if (filters.size > this.#filtersMax) throw this.#full(clientId, filters.size)
    for (const wanted of subscriptions) {
      const next = kept(clientId, wanted)
      const last = this.#sessions.get(clientId)?.get(next.topic)
      if (last !== undefined && isSame(last, next)) continue
      const { clientId: _client, topic, ...options } = next
      const value = encode(options)
      if (last === undefined) this.#store.insert(sessionKey(clientId, topic), value)
      else this.#store.replace(sessionKey(clientId, topic), value)
      this.#set(next)
    }
  }

  /** Removes those of the filters that the session has. */
  remove(clientId: string, filters: readonly string[]): void {
    for (const filter of filters) {
      const last = this.#sessions.get(clientId)?.get(filter)
      if (last === undefined) continue
      this.#store.remove(sessionKey(clientId, filter))
      this.#unset(last)
    }
  }

  /** Removes all subscriptions of a session. */
  clear(clientId: string): void {
    this.remove(clientId, [...(this.#sessions.get(clientId)?.keys() ?? [])])
  }

  /** The subscriptions of a session, each a copy, in the order in which they were made. */
  of(clientId: string): Subscription[] {
    const own = [...(this.#sessions.get(clientId)?.values() ?? [])]
    return own.map(({ clientId: _client, ...subscription }) => subscription)
  }

  /** The subscriptions with QoS 1 or 2 that match a topic. */
  matching(topic: string): SessionSubscription[] {
    return this.#queueing.matching(topic).flatMap((clients) => [...clients.values()])
  }

  /** Ids of the sessions that have anything here. */
  clientIds(): Iterable<string> {
    return this.#sessions.keys()
  }

  /** The clients that have exactly this filter. */
  *clientsOf(filter: string): Generator<string, void, undefined> {
    for (const [clientId, filters] of this.#sessions) if (filters.has(filter)) yield clientId
  }

  #set(next: SessionSubscription): void {
    const { clientId, topic } = next
    const session = this.#sessions.get(clientId) ?? new Map()
    this.#unqueue(clientId, topic)
    session.set(topic, next)
    this.#sessions.set(clientId, session)
    if (next.qos === 0) return
    const clients = this.#queueing.get(topic) ?? new Map()
    clients.set(clientId, next)
    this.#queueing.set(topic, clients)
    this.#queueingSize += 1
  }

  #unset({ clientId, topic }: SessionSubscription): void {
    this.#unqueue(clientId, topic)
    const session = this.#sessions.get(clientId)
    session?.delete(topic)
    if (session?.size === 0) this.#sessions.delete(clientId)
  }

  #unqueue(clientId: string, topic: string): void {
    const clients = this.#queueing.get(topic)
    if (clients?.delete(clientId) !== true) return
    this.#queueingSize -= 1
    if (clients.size === 0) this.#queueing.delete(topic)
  }

  #full(clientId: string, wanted: number): RelayError {
    return new RelayError(
      'FILTERS_FULL',
      `session ${shown(clientId)}: ${wanted} filters, ${this.#filtersMax} are allowed; use wildcards or unsubscribe`,
    )
  }
}

/** Only what is known of subscriptions and has a value: aedes and hooks may add more. */
function kept(clientId: string, wanted: Subscription): SessionSubscription {
  const { topic, qos, rh, rap, nl, subscriptionIdentifier } = wanted
  return {
    clientId,
    topic,
    qos,
    ...(rh !== undefined && { rh }),
    ...(rap !== undefined && { rap }),
    ...(nl !== undefined && { nl }),
    ...(subscriptionIdentifier !== undefined && { subscriptionIdentifier }),
  }
}

function isSame(one: Subscription, other: Subscription): boolean {
  return (
    one.qos === other.qos &&
    one.rh === other.rh &&
    one.rap === other.rap &&
    one.nl === other.nl &&
    one.subscriptionIdentifier === other.subscriptionIdentifier
  )
}
