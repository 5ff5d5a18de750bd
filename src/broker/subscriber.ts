/**
 * SUBSCRIBE and UNSUBSCRIBE of signed-in clients: what is granted is on disk before the client is
 * told, and takes effect with its SUBACK; then comes what is retained.
 */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Connection } from './connection.ts'
import { deviceOf, type Gate } from './gate.ts'
import type { Guests } from './guests.ts'
import type { OrdinarySession } from './ordinary/session.ts'
import { grantOf, type Subscription } from './ordinary/subscription.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import {
  encodeSuback,
  encodeUnsuback,
  type Request,
  type Subscribe,
  type Unsubscribe,
} from './subscribe.ts'
import { FAILURE, REASON } from './wire.ts'

type Parts = {
  readonly gate: Gate
  readonly topics: OrdinaryTopics
  readonly guests: Guests
  readonly store: Pick<Store, 'committed'>
  readonly log: Log
}

type Granted = {
  readonly request: Request
  readonly subscription: Subscription
  readonly isNew: boolean
}

export class Subscriber {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Resolves when the client has its SUBACK on the way. */
  async subscribe(connection: Connection, asked: Subscribe): Promise<void> {
    const { topics, store } = this.#parts
    const { ordinary: session, version } = connection
    if (session === undefined) return
    const decided = this.#decide(connection, session, asked)
    const granted = decided.filter((one): one is Granted => !(one instanceof RelayError))
    if (granted.length > 0) await store.committed()
    for (const { request, subscription } of granted) {
      topics.subscribe(session, request.filter, subscription)
    }
    if (connection.isClosed) return
    const codes = decided.map((one) => codeOf(one, version))
    connection.write(encodeSuback(asked.packetId, codes, version))
    connection.session?.subscribed(connection.filters)
    for (const one of granted) bring(session, one)
  }

  /** Each filter by itself; what was refused is told in one line of the log. */
  #decide(
    connection: Connection,
    session: OrdinarySession,
    { requests, identifier }: Subscribe,
  ): (Granted | RelayError)[] {
    const known = new Set(session.subscriptions.keys())
    const decided = requests.map((request, at) => {
      const { filter } = request
      // Not even looked at: each look takes time, and a packet has room for very many.
      if (at >= LIMITS.filtersPerSessionMax) return TOO_MANY
      if (!known.has(filter) && known.size >= LIMITS.filtersPerSessionMax) return TOO_MANY
      const one = this.#grant(connection, session, request, identifier)
      if (!(one instanceof RelayError)) known.add(filter)
      return one
    })
    const refused = decided.filter((one) => one instanceof RelayError)
    const [first] = refused
    if (first !== undefined) {
      const { assignedId: client } = connection
      const { log } = this.#parts
      log.info({ client, code: first.code, refused: refused.length }, first.message)
    }
    return decided
  }

  #grant(
    connection: Connection,
    session: OrdinarySession,
    request: Request,
    identifier: number | undefined,
  ): Granted | RelayError {
    const { gate, topics } = this.#parts
    try {
      const { filter, group } = gate.grant(connection, request.filter, request.qos)
      const { qos, isNoLocal, isAsPublished } = request
      const subscription = { filter, group, qos, isNoLocal, isAsPublished, identifier }
      const isNew = topics.record(session, request.filter, subscription)
      return { request, subscription, isNew }
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      return error
    }
  }

  /** Resolves when the client has its UNSUBACK on the way. */
  async unsubscribe(connection: Connection, asked: Unsubscribe): Promise<void> {
    const { topics, store, guests } = this.#parts
    const { ordinary: session, version, identity } = connection
    if (session === undefined) return
    const known = asked.filters.map((filter) => topics.unsubscribe(session, filter))
    const left = connection.filters
    connection.session?.subscribed(left)
    if (identity?.kind === 'user') {
      guests.unsubscribed(identity.user, deviceOf(connection), { gone: asked.filters, left })
    }
    if (known.includes(true)) await store.committed()
    const codes = known.map((was) => (was ? REASON.success : REASON.noSubscriptionExisted))
    if (!connection.isClosed) connection.write(encodeUnsuback(asked.packetId, codes, version))
  }
}

const TOO_MANY = new RelayError(
  'FILTERS_FULL',
  `a session has at most ${LIMITS.filtersPerSessionMax} filters; use wildcards or unsubscribe from some`,
)

/** The granted QoS, or why not; 3.1.1 has one code for every failure (3.9.3). */
function codeOf(one: Granted | RelayError, version: number): number {
  if (!(one instanceof RelayError)) return one.request.qos
  if (version !== 5) return FAILURE
  return one.code === 'BAD_TOPIC' ? REASON.topicFilterInvalid : one.facts.mqtt
}

/** [MQTT-3.8.4-4] [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; a shared subscription brings nothing (4.8.2). */
function bring(session: OrdinarySession, { request, subscription, isNew }: Granted): void {
  const { retained, filter } = request
  const isWanted = retained === 'always' || (retained === 'new' && isNew)
  const grant = grantOf([subscription])
  if (isWanted && subscription.group === undefined && grant !== undefined) {
    session.bring(filter, grant)
  }
}
