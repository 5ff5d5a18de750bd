/**
 * What aedes keeps of ordinary topics, on the relay's store: an implementation of the contract of
 * aedes-persistence 10.3. Messages for people do not pass here; they have mailboxes.
 *
 * What a client is told of waits for the commit, and a publish waits once: aedes' steps for QoS 1
 * and 2 are `incomingStorePacket`, `storeRetained`, `subscriptionsByTopic`,
 * `outgoingEnqueueCombi`, with no pause between them, so their writes are in one commit, all or
 * none, and the last step waits for it. Were the packet id of a QoS 2 message durable before the
 * message, a crash between the two would make the sender's retry a duplicate of what is lost.
 */
import { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { RelayError } from '../../errors.ts'
import { LIMITS } from '../../limits.ts'
import type { Log } from '../../log.ts'
import { shown } from '../../message/names.ts'
import { tableOf } from '../../store/keys.ts'
import type { Store } from '../../store/store.ts'
import { Incoming } from './incoming.ts'
import { LossNotice } from './loss-notice.ts'
import { Outgoing, type Recipient } from './outgoing.ts'
import type { Packet } from './packet.ts'
import { type Broker, PacketNumbers } from './packet-numbers.ts'
import { Retained } from './retained.ts'
import { type SessionSubscription, type Subscription, Subscriptions } from './subscriptions.ts'
import { Wills } from './wills.ts'

type Client = { readonly id: string }

type Parts = { readonly store: Store; readonly log: Log; readonly clock: Clock }

/** What memory knows of each table of the store. */
type Tables = {
  readonly numbers: PacketNumbers
  readonly retained: Retained
  readonly session: Subscriptions
  readonly outgoing: Outgoing
  readonly incoming: Incoming
  readonly will: Wills
}

export type PersistenceBounds = {
  readonly retainedMax: number
  readonly offlineQueueMessagesMax: number
  readonly filtersPerSessionMax: number
  readonly incomingPerSessionMax: number
  readonly readAheadMax: number
}

/** What is kept now, and what had to be dropped since the start. */
export type PersistenceStats = {
  readonly retained: number
  readonly retainedRefused: number
  readonly sessions: number
  readonly subscriptions: number
  readonly queued: number
  readonly queuedDropped: number
  readonly incoming: number
  readonly wills: number
}

export class Persistence {
  readonly #parts: Parts
  readonly #store: Store
  readonly #bounds: PersistenceBounds
  readonly #refused: LossNotice
  readonly #dropped: LossNotice
  readonly #tables: Tables
  #broker: Broker = { id: '', counter: 0 }
  #isOver = false

  constructor(parts: Parts, options: PersistenceBounds = LIMITS) {
    this.#parts = parts
    this.#store = parts.store
    this.#bounds = options
    this.#refused = new LossNotice(parts, {
      text: `retained messages were delivered but not kept: the disk is full, or ${options.retainedMax} are kept; remove some by publishing empty ones`,
    })
    this.#dropped = new LossNotice(parts, {
      text: `oldest messages of ordinary topics dropped from full queues: ${options.offlineQueueMessagesMax} wait for each session at most`,
    })
    this.#tables = this.#empty()
  }

  #empty(): Tables {
    const numbers = new PacketNumbers()
    return {
      numbers,
      retained: new Retained({ ...this.#parts, refused: this.#refused }, this.#bounds),
      session: new Subscriptions(this.#parts, this.#bounds),
      outgoing: new Outgoing({ ...this.#parts, numbers, dropped: this.#dropped }, this.#bounds),
      incoming: new Incoming(this.#parts, this.#bounds),
      will: new Wills(this.#parts, this.#bounds),
    }
  }

  /** Called for each stored pair, in key order, while the store starts; passes over other tables. */
  visit(key: string, value: Uint8Array): void {
    switch (tableOf(key)) {
      case 'retained':
        this.#tables.retained.visit(key)
        break
      case 'session':
        this.#tables.session.visit(key, value)
        break
      case 'outgoing':
        this.#tables.outgoing.visit(key)
        break
      case 'incoming':
        this.#tables.incoming.visit(key)
        break
      case 'will':
        this.#tables.will.visit(key)
        break
    }
  }

  get stats(): PersistenceStats {
    return {
      retained: this.#tables.retained.size,
      retainedRefused: this.#refused.total,
      sessions: this.#tables.session.sessions,
      subscriptions: this.#tables.session.queueing,
      queued: this.#tables.outgoing.size,
      queuedDropped: this.#dropped.total,
      incoming: this.#tables.incoming.size,
      wills: this.#tables.will.size,
    }
  }

  /** Whether the client got this message on an earlier connection, and may get it a second time. */
  wasSentBefore(client: Client, packet: Packet): boolean {
    return this.#tables.outgoing.wasSentBefore(client.id, packet)
  }

  /** Whether a message under this packet id is on its way to the client. */
  isPacketIdTaken(client: Client, packetId: number): boolean {
    return this.#tables.outgoing.isTaken(client.id, packetId)
  }

  /** Whether the client has begun publishes of QoS 2 and not finished them. */
  hasUnfinished(client: Client): boolean {
    return this.#tables.incoming.has(client.id)
  }

  /** Whether a retained message for this topic would be kept, so that the sender can be told. */
  hasRoomForRetained(topic: string): boolean {
    return this.#tables.retained.hasRoom(topic)
  }

  /** The broker that was set up. */
  get broker(): Broker {
    return this.#broker
  }

  async setup(broker: Broker): Promise<void> {
    this.#broker = broker
  }

  async storeRetained(packet: Packet): Promise<void> {
    this.#tables.retained.set(packet)
    // With QoS 1 and 2 `outgoingEnqueueCombi` follows, which waits and numbers.
    if (!packet.qos) this.#tables.numbers.direct(packet, this.#broker)
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter])
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#tables.retained.matching(filters))
  }

  async addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void> {
    this.#tables.session.add(client.id, subscriptions)
    await this.#store.committed()
  }

  async removeSubscriptions(client: Client, filters: readonly string[]): Promise<void> {
    this.#tables.session.remove(client.id, filters)
    await this.#store.committed()
  }

  /** Ends a session: aedes calls it when one expires, and when a client asks for a clean one. */
  async cleanSubscriptions(client: Client): Promise<void> {
    this.#tables.session.clear(client.id)
    this.#tables.outgoing.clear(client.id)
    this.#tables.incoming.clear(client.id)
    await this.#store.committed()
  }

  /** Ends sessions for good, with queues and wills: whoever they belonged to is no more. */
  async endSessions(isEnded: (clientId: string) => boolean): Promise<void> {
    const { session, outgoing, incoming, will } = this.#tables
    const tables = [session, outgoing, incoming, will]
    const ids = new Set(tables.flatMap((table) => [...table.clientIds()].filter(isEnded)))
    for (const id of ids) {
      for (const table of [session, outgoing, incoming]) table.clear(id)
      will.take(id)
    }
    await this.#store.committed()
  }

  async subscriptionsByClient(client: Client): Promise<Subscription[]> {
    return this.#tables.session.of(client.id)
  }

  async subscriptionsByTopic(topic: string): Promise<SessionSubscription[]> {
    return this.#tables.session.matching(topic)
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    const { queueing, sessions } = this.#tables.session
    return { subsCount: queueing, clientsCount: sessions }
  }

  getClientList(filter: string): Readable {
    return Readable.from(this.#tables.session.clientsOf(filter))
  }

  /** Not `async`: one more turn than the other, and the two could overtake each other. */
  outgoingEnqueue(recipient: Recipient, packet: Packet): Promise<void> {
    return this.outgoingEnqueueCombi([recipient], packet)
  }

  async outgoingEnqueueCombi(recipients: readonly Recipient[], packet: Packet): Promise<void> {
    const hasWritten = recipients.length > 0 || packet.retain === true || packet.qos === 2
    if (!hasWritten) return this.#tables.numbers.direct(packet, this.#broker)
    if (recipients.length > 0) this.#refuseWhenFull(`a message on ${shown(packet.topic ?? '')}`)
    const number = this.#tables.numbers.queue(packet, this.#broker)
    this.#tables.outgoing.enqueue(recipients, packet, number)
    await this.#store.committed()
  }

  async outgoingUpdate(client: Client, packet: Packet): Promise<void> {
    if (this.#tables.outgoing.sending(client.id, packet)) await this.#store.committed()
  }

  async outgoingClearMessageId(client: Client, packet: Packet): Promise<Packet | undefined> {
    return this.#tables.outgoing.settle(client.id, packet)
  }

  outgoingStream(client: Client): Readable {
    return Readable.from(this.#tables.outgoing.stream(client.id))
  }

  async incomingStorePacket(client: Client, packet: Packet): Promise<void> {
    this.#refuseWhenFull(`a publish of ${shown(client.id)}`)
    this.#tables.incoming.set(client.id, packet.messageId ?? 0, packet)
  }

  async incomingGetPacket(client: Client, packet: Packet): Promise<Packet> {
    const found = this.#tables.incoming.get(client.id, packet.messageId ?? 0)
    if (found === undefined) throw unknownPacket(client, packet)
    return found
  }

  /**
   * Waits: a packet id that came back after a crash would swallow the next message with it. One
   * that is gone is fine: of two PUBRELs in a row aedes asks for both before it deletes, and a
   * rejection here would end the process.
   */
  async incomingDelPacket(client: Client, packet: Packet): Promise<void> {
    this.#tables.incoming.remove(client.id, packet.messageId ?? 0)
    await this.#store.committed()
  }

  /** Forgets the unfinished QoS 2 publishes of a session that ends with its connection. */
  async cleanIncoming(client: Client): Promise<void> {
    this.#tables.incoming.clear(client.id)
  }

  /**
   * Does not wait: aedes has subscribed a returning client by now and has not yet sent CONNACK, so
   * a wait would let messages overtake it [MQTT-3.2.0-1].
   */
  async putWill(client: Client, will: Packet): Promise<void> {
    // aedes reads both from the packet that it gave.
    will.brokerId = this.#broker.id
    will.clientId = client.id
    this.#tables.will.set(client.id, will)
  }

  async getWill(client: Client): Promise<Packet | undefined> {
    return this.#tables.will.get(client.id)
  }

  async delWill(client: Client): Promise<Packet | undefined> {
    // aedes is done with some wills only after it has closed; those are for the next start.
    return this.#isOver ? undefined : this.#tables.will.take(client.id)
  }

  streamWill(brokers: Readonly<Record<string, number>> = {}): Readable {
    return Readable.from(this.#tables.will.orphaned(new Set(Object.keys(brokers))))
  }

  /** A message that cannot be kept is not acknowledged: aedes closes its sender's connection. */
  #refuseWhenFull(what: string): void {
    if (!this.#store.isFull) return
    throw new RelayError('DISK_FULL', `${what} is not taken: the disk is full; make room on it`)
  }

  /** To be called once aedes has closed: waits until all is durable. The owner stops the store. */
  async destroy(): Promise<void> {
    await this.#store.committed()
    this.#isOver = true
  }
}

function unknownPacket(client: Client, packet: Packet): RelayError {
  return new RelayError(
    'NOT_FOUND',
    `session ${shown(client.id)}: no unfinished publish with packet id ${packet.messageId}`,
  )
}
