/**
 * SUBSCRIBE and UNSUBSCRIBE of signed-in clients: what is granted is on disk before the client is
 * told, and takes effect with its SUBACK; then comes what is retained.
 */
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Connection } from './connection.ts'
import { deviceOf, type Gate } from './gate.ts'
import type { Guests } from './guests.ts'
import type { OrdinarySession } from './ordinary/session.ts'
import { grantOf, type Subscription } from './ordinary/subscription.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import {
  areTooMany,
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
    if (decided.some((one) => typeof one !== 'number')) await store.committed()
    if (connection.isClosed) return
    const granted = decided.filter((one) => typeof one !== 'number')
    for (const { request, subscription } of granted) {
      topics.subscribe(session, request.filter, subscription)
    }
    const codes = decided.map((one) => codeOf(one, version))
    connection.write(encodeSuback(asked.packetId, codes, version))
    connection.session?.subscribed(connection.filters)
    for (const one of granted) bring(session, one)
  }

  #decide(
    connection: Connection,
    session: OrdinarySession,
    { requests, identifier }: Subscribe,
  ): (Granted | number)[] {
    const { gate, topics } = this.#parts
    if (areTooMany(requests, session.subscriptions.keys())) {
      return requests.map(() => REASON.quotaExceeded)
    }
    return requests.map((request) => {
      const grant = gate.grant(connection, request.filter, request.qos)
      if (typeof grant === 'number') return grant
      const { filter, group } = grant
      const { qos, isNoLocal, isAsPublished } = request
      const subscription = { filter, group, qos, isNoLocal, isAsPublished, identifier }
      const isNew = topics.record(session, request.filter, subscription)
      return { request, subscription, isNew }
    })
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

/** The granted QoS, or why not; 3.1.1 has one code for every failure (3.9.3). */
function codeOf(one: Granted | number, version: number): number {
  if (typeof one !== 'number') return one.request.qos
  return version === 5 ? one : FAILURE
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
