/**
 * Ordinary topics: everything that is not for a person. A message is given its audience, put into
 * the queues of those who want it with QoS 1 or 2, and kept where it is retained, all in one
 * commit; whoever has published it is told when that is on disk.
 */
import type { Clock } from '../../clock.ts'
import { LIMITS } from '../../limits.ts'
import type { Log } from '../../log.ts'
import { lastNumber, tableOf } from '../../store/keys.ts'
import type { Store } from '../../store/store.ts'
import { Audience, type Share } from './audience.ts'
import { Incoming } from './incoming.ts'
import { filterOf, ownerOf, sessionKey } from './keys.ts'
import { Lifetimes } from './lifetimes.ts'
import { LossNotice } from './loss-notice.ts'
import type { OrdinaryMessage } from './message.ts'
import { Queue } from './queue.ts'
import { Retained } from './retained.ts'
import { RetainedRuns } from './retained-runs.ts'
import { Round } from './round.ts'
import { OrdinarySession, type SessionOwner, type SessionPort } from './session.ts'
import {
  decodeSubscription,
  encodeSubscription,
  type Grant,
  type Subscription,
} from './subscription.ts'
import { Wills } from './wills.ts'

type Parts = {
  readonly store: Store
  readonly log: Log
  readonly clock: Clock
  /** Milliseconds that the store has been in use (`Journal.ageMs`). */
  readonly ageMs: () => number
}

/** What is kept now, and what had to be dropped since the start. */
export type TopicsStats = {
  readonly retained: number
  readonly retainedRefused: number
  /** Sessions that outlive their connection. */
  readonly sessions: number
  readonly subscriptions: number
  readonly queued: number
  readonly queuedDropped: number
  readonly incoming: number
  readonly wills: number
}

export class OrdinaryTopics implements SessionOwner {
  readonly retained: Retained
  readonly wills: Wills
  readonly #parts: Parts
  readonly #sessions = new Map<string, OrdinarySession>()
  readonly #audience = new Audience<OrdinarySession>()
  readonly #incoming: Incoming
  readonly #lifetimes: Lifetimes
  readonly #refused: LossNotice
  readonly #dropped: LossNotice
  /** Sessions that wait for a commit. */
  readonly #waiting = new Set<OrdinarySession>()
  #kept = 0
  #number = 0
  #committed = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#refused = new LossNotice(parts, {
      text: `retained messages were delivered but not kept: the disk is full, or ${LIMITS.retainedMax} are kept; remove some by publishing empty ones`,
    })
    this.#dropped = new LossNotice(parts, {
      text: `oldest messages of ordinary topics dropped from full queues: ${LIMITS.offlineQueueMessagesMax} wait for each session at most`,
    })
    this.retained = new Retained({ ...parts, refused: this.#refused }, LIMITS)
    this.wills = new Wills(parts, LIMITS)
    this.#incoming = new Incoming(parts, LIMITS)
    this.#lifetimes = new Lifetimes(parts)
  }

  /** Called for each stored pair, in key order, while the store starts; passes over other tables. */
  visit(key: string, value: Uint8Array): void {
    switch (tableOf(key)) {
      case 'retained':
        this.retained.visit(key)
        break
      case 'session':
        this.#subscribe(this.#keptSession(ownerOf(key)), filterOf(key), decodeSubscription(value))
        break
      case 'outgoing':
        this.#number = Math.max(this.#number, lastNumber(key))
        this.#keptSession(ownerOf(key)).restore(lastNumber(key))
        break
      case 'incoming':
        this.#incoming.visit(key)
        this.#keptSession(ownerOf(key))
        break
      case 'lifetime':
        this.#lifetimes.visit(key, value)
        this.#keptSession(ownerOf(key))
        break
      case 'will':
        this.wills.visit(key)
        break
    }
  }

  /** All was visited: sessions begin to age. */
  start(): void {
    for (const session of this.#sessions.values()) {
      session.restoreSent(this.#lifetimes.sentMax(session.id))
      // Queues may be empty: what comes now was not sent all the same.
      this.#number = Math.max(this.#number, session.sentMax)
    }
    this.#committed = this.#number
    this.#lifetimes.start(this.#sessions.keys(), (id) => this.end(id))
  }

  stop(): void {
    this.#lifetimes.stop()
  }

  get stats(): TopicsStats {
    let queued = 0
    for (const session of this.#sessions.values()) queued += session.queued
    return {
      retained: this.retained.size,
      retainedRefused: this.#refused.total,
      sessions: this.#kept,
      subscriptions: this.#audience.size,
      queued,
      queuedDropped: this.#dropped.total,
      incoming: this.#incoming.size,
      wills: this.wills.size,
    }
  }

  // ---- sessions

  /** Whether there is a session to go on with. */
  has(id: string): boolean {
    return this.#sessions.has(id)
  }

  /** The session of a client, where there is one. */
  session(id: string): OrdinarySession | undefined {
    return this.#sessions.get(id)
  }

  /** Seconds that the session of a client outlives its connection; 0 where there is none. */
  outlivesS(id: string): number {
    return this.#lifetimes.outlivesS(id)
  }

  /**
   * A client is here: its session goes on, or a new one begins.
   * @param options.outlivesS seconds that a new session outlives the connection
   */
  connected(id: string, options: { outlivesS: number }, port: SessionPort): OrdinarySession {
    const { outlivesS } = options
    const known = this.#sessions.get(id)
    const session = known ?? this.#newSession(id, outlivesS > 0)
    if (session.isKept) {
      const surplus = this.#lifetimes.here(id, outlivesS)
      if (surplus !== undefined) this.end(surplus)
    }
    session.connected(port)
    return session
  }

  /** Its client has left; what was on its way waits for the next connection. */
  disconnected(session: OrdinarySession, options: { outlivesS: number }): void {
    if (this.#sessions.get(session.id) !== session) return
    session.disconnected()
    const { outlivesS } = options
    if (session.isKept && outlivesS > 0) {
      this.#lifetimes.gone(session.id, { outlivesS, sentMax: session.sentMax })
    } else this.end(session.id)
  }

  /** Ends a session for good, with all that waits for it. */
  end(id: string): void {
    this.#lifetimes.delete(id)
    this.#incoming.clear(id)
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#sessions.delete(id)
    this.#waiting.delete(session)
    if (session.isKept) this.#kept -= 1
    for (const filter of [...session.subscriptions.keys()]) this.#unsubscribe(session, filter)
    session.clear()
  }

  /** Ends sessions and their wills: whoever they belonged to is no more. */
  async endSessions(isEnded: (id: string) => boolean): Promise<void> {
    const all = [...this.#sessions.keys(), ...this.wills.clientIds()]
    for (const id of all.filter(isEnded)) {
      this.end(id)
      this.wills.delete(id)
    }
    await this.#parts.store.committed()
  }

  // ---- subscriptions

  /**
   * Writes a subscription of a session that is kept; it takes effect with `subscribe`.
   * @returns whether it is new: no other has the same filter
   */
  record(session: OrdinarySession, filter: string, subscription: Subscription): boolean {
    const isNew = !session.subscriptions.has(filter)
    if (session.isKept) {
      this.#parts.store.put(sessionKey(session.id, filter), encodeSubscription(subscription))
    }
    return isNew
  }

  /** Adds a subscription, or replaces the one with the same filter. */
  subscribe(session: OrdinarySession, filter: string, subscription: Subscription): void {
    if (this.#sessions.get(session.id) === session) this.#subscribe(session, filter, subscription)
  }

  /** Returns whether there was one. */
  unsubscribe(session: OrdinarySession, filter: string): boolean {
    session.leave(filter)
    return this.#unsubscribe(session, filter)
  }

  #subscribe(session: OrdinarySession, filter: string, subscription: Subscription): void {
    session.subscriptions.set(filter, subscription)
    this.#audience.set(session, subscription)
  }

  #unsubscribe(session: OrdinarySession, filter: string): boolean {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return false
    session.subscriptions.delete(filter)
    this.#audience.delete(session, subscription)
    if (session.isKept) this.#parts.store.remove(sessionKey(session.id, filter))
    return true
  }

  // ---- messages

  /**
   * Passes a message on.
   * @param from the session of the client that has published it
   * @param done called when nothing of it can be lost any more
   */
  publish(
    message: OrdinaryMessage,
    from?: OrdinarySession,
    done: () => void = () => undefined,
  ): void {
    if (message.isRetained) this.retained.set(message)
    const round = new Round(message, this.ageMs())
    const { recipients, shares } = this.#audience.of(message.topic)
    for (const { member, grant, ownGrant } of recipients) {
      const granted = member === from ? ownGrant : grant
      if (granted !== undefined) this.#give(member, granted, round)
    }
    for (const share of shares) {
      // Who gets it by itself, too, gets two.
      round.renumber()
      this.#giveOne(share, round)
    }
    // What nobody has to keep waits for nothing.
    const hasWritten = round.isQueued || message.isRetained || message.qos === 2
    if (hasWritten) this.whenCommitted(done)
    else done()
  }

  #give(session: OrdinarySession, grant: Grant, round: Round): void {
    const qos = Math.min(round.message.qos, grant.qos) as 0 | 1 | 2
    if (qos === 0) {
      session.pass(round.outgoing(grant))
      return
    }
    round.isQueued ||= session.isKept
    session.enqueue(round.number(this), round.delivery(qos, grant))
  }

  /** One of a group: the next who is here, or else the next whose session waits (4.8.2). */
  #giveOne(share: Share<OrdinarySession>, round: Round): void {
    const { members } = share
    share.turn = (share.turn + 1) % members.length
    const inTurn = [...members.slice(share.turn), ...members.slice(0, share.turn)]
    const next =
      inTurn.find(({ member }) => member.isConnected && member.mayRead(round.message.topic)) ??
      inTurn.find(({ member }) => !member.isConnected)
    if (next !== undefined) this.#give(next.member, next.grant, round)
  }

  /** A publish of QoS 2 has begun. @throws SENDER_FULL */
  began({ id, isKept }: OrdinarySession, packetId: number): void {
    if (isKept) this.#incoming.add(id, packetId)
  }

  /** It has ended; `done` is called when it cannot begin again. */
  finished({ id }: OrdinarySession, packetId: number, done: () => void): void {
    if (this.#incoming.remove(id, packetId)) this.whenCommitted(done)
    else done()
  }

  /** Publishes of QoS 2 that an earlier connection of the session has begun. */
  unfinished({ id }: OrdinarySession): Iterable<number> {
    return this.#incoming.of(id)
  }

  // ---- what sessions ask for

  ageMs(): number {
    return this.#parts.ageMs()
  }

  isCommitted(number: number): boolean {
    return number <= this.#committed
  }

  waits(session: OrdinarySession): void {
    this.#waiting.add(session)
  }

  nextNumber(): number {
    this.#number += 1
    return this.#number
  }

  whenCommitted(run: () => void): void {
    const number = this.#number
    const { store } = this.#parts
    store.afterCommit(() => {
      this.#advance(number)
      run()
    })
    store.flushSoon()
  }

  retry(run: () => void): void {
    this.#parts.clock.after(LIMITS.drainRetryMs, run)
  }

  dropped(): void {
    this.#dropped.count()
  }

  /** Everything up to this number is on disk. */
  #advance(number: number): void {
    if (number <= this.#committed) return
    this.#committed = number
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const session of waiting) session.pump()
  }

  #keptSession(id: string): OrdinarySession {
    return this.#sessions.get(id) ?? this.#newSession(id, true)
  }

  #newSession(id: string, isKept: boolean): OrdinarySession {
    const queue = new Queue(this.#parts, { clientId: id, isKept })
    const { retained } = this
    const runsOf = (loaded: () => void) => new RetainedRuns({ ...this.#parts, retained, loaded })
    const session = new OrdinarySession({ owner: this, queue, runsOf }, { id, isKept })
    this.#sessions.set(id, session)
    if (isKept) this.#kept += 1
    return session
  }
}
