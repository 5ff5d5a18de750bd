/**
 * The MQTT side of the relay: one `Connection` for each client; sign-in and topic rules; ordinary
 * topics; and aedes for the coming and going of clients: CONNECT, keep alive, when a will is due.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client } from 'aedes'
import type { Clock } from '../clock.ts'
import type { PostOffice } from '../delivery/post-office.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { UserId } from '../message/names.ts'
import { presenceTopic } from '../message/topic.ts'
import type { Roster } from '../roster/roster.ts'
import type { SignIn } from '../roster/sign-in.ts'
import type { Store } from '../store/store.ts'
import type { Rules } from './access.ts'
import {
  AEDES_VERSION,
  isRegistered,
  mendBroker,
  mendClient,
  outlivesS,
  renameClient,
} from './aedes-mends.ts'
import { AedesPersistence, NO_EMITTER } from './aedes-persistence.ts'
import type { AedesPort } from './aedes-port.ts'
import { Connection } from './connection.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { Connections } from './connections.ts'
import { ConnectedDevice } from './device-port.ts'
import { EarlierWills } from './earlier-wills.ts'
import { deviceOf, Gate, returnCodeOf } from './gate.ts'
import { Guests } from './guests.ts'
import { Inbound } from './inbound.ts'
import { Lobby } from './lobby.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import type { Will } from './ordinary/wills.ts'
import { Copies, OrdinaryPort } from './ordinary-port.ts'
import { Flusher } from './outbox.ts'
import type { Publish } from './publish.ts'
import type { Subscribe, Unsubscribe } from './subscribe.ts'
import { Subscriber } from './subscriber.ts'
import { SystemTopics } from './system-topics.ts'
import { Traffic } from './traffic.ts'
import { REASON } from './wire.ts'

export type BrokerParts = {
  readonly store: Pick<Store, 'isFull' | 'committed'>
  readonly post: PostOffice
  readonly roster: Roster
  readonly signIn: SignIn
  readonly topics: OrdinaryTopics
  readonly mailboxes: Pick<Mailboxes, 'queued' | 'bytes'>
  readonly version: string
  readonly clock: Clock
  readonly log: Log
}

/** Tells aedes that a will is no business of its own. */
const WILL_TAKEN = new RelayError('NOT_AUTHORIZED', 'wills are published by the relay')

export class Broker implements ConnectionOwner {
  readonly #parts: BrokerParts
  readonly #gate: Gate
  readonly #guests: Guests
  readonly #subscriber: Subscriber
  readonly #persistence: AedesPersistence
  readonly #earlierWills: EarlierWills
  readonly #copies = new Copies()
  readonly #aedes: Aedes
  readonly #inbound: Inbound
  readonly #flusher = new Flusher()
  readonly #traffic = new Traffic()
  readonly #system: SystemTopics
  readonly #lobby = new Lobby()
  readonly #connections = new Connections()
  readonly #byClient = new WeakMap<Client, Connection>()
  /** The newest connection of each session. */
  readonly #newest = new Map<string, Connection>()

  /** @param options.id name of the broker for aedes; the same after a restart */
  constructor(parts: BrokerParts, options: { id: string; rules: Rules }) {
    this.#parts = parts
    this.#gate = new Gate(parts, options)
    this.#guests = new Guests(parts)
    this.#system = new SystemTopics({
      ...parts,
      connections: this.#connections,
      traffic: this.#traffic,
      publish: (topic, text) => this.#publish({ topic, payload: Buffer.from(text), retain: true }),
    })
    this.#inbound = new Inbound(parts, options)
    this.#subscriber = new Subscriber({ ...parts, gate: this.#gate, guests: this.#guests })
    const committed = () => parts.store.committed()
    this.#persistence = new AedesPersistence({ ...parts, committed })
    this.#earlierWills = new EarlierWills({
      ...parts,
      publish: (id, will) => this.#publishWill(undefined, id, will),
    })
    this.#aedes = new Aedes({
      id: options.id,
      persistence: this.#persistence,
      mq: NO_EMITTER,
      connectTimeout: LIMITS.connectMsMax,
      // Slow readers are ours to deal with: nothing in aedes ever waits for a socket.
      drainTimeout: 0,
      maximumPacketSize: LIMITS.packetBytesMax,
      sessionExpiryIntervalLimit: LIMITS.expiresAfterSMax,
      authenticate: (client, user, password, done) => {
        void this.#authenticate(client, user, password, done)
      },
      authorizePublish: (client, _packet, done) => {
        const will = client && this.#byClient.get(client)?.connect?.will
        if (client && will) this.#publishWill(client, client.id, will)
        done(WILL_TAKEN)
      },
    })
  }

  /** Clients that are signed in. */
  get clients(): number {
    return this.#connections.clients
  }

  async start(): Promise<void> {
    const version: unknown = Reflect.get(this.#aedes, 'version')
    if (version !== AEDES_VERSION) {
      throw new RelayError('CONFIG_INVALID', `aedes ${version} is installed, not ${AEDES_VERSION}`)
    }
    mendBroker(this.#aedes)
    const { log } = this.#parts
    this.#aedes.on('clientError', (client, error) => {
      log.debug({ client: client.id, error }, 'a client failed')
    })
    this.#aedes.on('connectionError', (_client, error) => log.debug({ error }, 'a client failed'))
    this.#aedes.addListener('error', (error: unknown) => log.error({ error }, 'aedes failed'))
    this.#aedes.on('connackSent', ({ returnCode, reasonCode }, client) => {
      if ((returnCode ?? 0) === 0 && (reasonCode ?? 0) === 0) this.#byClient.get(client)?.accepted()
    })
    await this.#aedes.listen()
    this.#guests.forget()
    await this.#earlierWills.start()
    // What is retained may be of a run that was killed.
    for (const { id } of this.#parts.roster.users()) this.publishPresence(id)
    this.#system.start()
  }

  /** Says goodbye to every client; sessions and mail stay. */
  async stop(): Promise<void> {
    this.#system.stop()
    this.#earlierWills.stop()
    await new Promise<void>((resolve) => this.#aedes.close(resolve))
    this.#connections.disconnectAll(REASON.serverShuttingDown)
    await this.#persistence.destroy()
  }

  /** Takes a new connection over. `address` is the client's, without the port. */
  handle(socket: Duplex, address: string): void {
    if (this.#connections.size >= LIMITS.connectionsMax) {
      this.#parts.log.warn(
        { address, connectionsMax: LIMITS.connectionsMax },
        'no more connections',
      )
      socket.destroy()
      return
    }
    this.#traffic.sockets += 1
    const shared = { owner: this, flusher: this.#flusher, traffic: this.#traffic }
    const connection = new Connection({ ...this.#parts, ...shared, socket }, { address })
    this.#connections.add(connection)
    this.#lobby.enter(connection)
    connection.start()
  }

  attach(port: AedesPort, connection: Connection): Client {
    const client = this.#aedes.handle(port)
    mendClient(client)
    this.#byClient.set(client, connection)
    return client
  }

  publish(connection: Connection, publish: Publish): void {
    this.#inbound.publish(connection, publish)
  }

  subscribe(connection: Connection, asked: Subscribe): Promise<void> {
    return this.#subscriber.subscribe(connection, asked)
  }

  unsubscribe(connection: Connection, asked: Unsubscribe): Promise<void> {
    return this.#subscriber.unsubscribe(connection, asked)
  }

  finished({ ordinary }: Connection, packetId: number, done: () => void): void {
    if (ordinary === undefined) done()
    else this.#parts.topics.finished(ordinary, packetId, done)
  }

  hasSession({ client, connect }: Connection): boolean {
    return connect?.isClean === false && this.#parts.topics.has(client.id)
  }

  connected(connection: Connection): void {
    this.#connections.signedIn(connection)
    this.#traffic.connected(this.clients)
    this.#connectOrdinary(connection)
    const { identity } = connection
    if (identity?.kind !== 'user') return
    const { post, roster } = this.#parts
    const device = roster.user(identity.user)?.devices.get(deviceOf(connection))
    if (device === undefined) {
      connection.disconnect(REASON.administrativeAction)
      return
    }
    const port = new ConnectedDevice(connection, { user: identity.user, device: device.id })
    connection.session = post.connected(port, device)
    connection.session.subscribed(connection.filters)
  }

  #connectOrdinary(connection: Connection): void {
    const { client, connect } = connection
    const { topics, log } = this.#parts
    const port = new OrdinaryPort(connection, { gate: this.#gate, copies: this.#copies, log })
    this.#earlierWills.cancel(client.id)
    if (connect?.will !== undefined) topics.wills.set(client.id, connect.will)
    const session = topics.connected(client.id, { outlivesS: outlivesS(client) }, port)
    for (const packetId of topics.unfinished(session)) connection.unreleased.add(packetId)
    connection.ordinary = session
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#lobby.leave(connection)
    const { identity, session, ordinary, client } = connection
    const { post, roster, topics } = this.#parts
    if (session !== undefined) post.disconnected(session)
    if (ordinary !== undefined) topics.disconnected(ordinary, { outlivesS: outlivesS(client) })
    if (this.#newest.get(client.id) === connection) this.#newest.delete(client.id)
    if (identity?.kind !== 'user' || !connection.isRegistered) return
    const device = deviceOf(connection)
    roster.disconnected(identity.user, device)
    if (connection.connect?.clientId === '' && client.clean) {
      this.#guests.left(identity.user, device)
    }
  }

  /** Ends the connections of a user, or of one device of it. */
  disconnect(user: UserId, device?: string): void {
    this.#connections.disconnectUser(user, device)
  }

  /** Ends the connections of a thing. */
  disconnectThing(thing: string): void {
    this.#connections.disconnectThing(thing)
  }

  /** Retains whether a user is online, for those who may see it. */
  publishPresence(user: UserId): void {
    const payload = this.#parts.roster.presence(user) ?? ''
    this.#publish({ topic: presenceTopic(user), payload: Buffer.from(payload), retain: true })
  }

  #publish(packet: { topic: string; payload: Buffer; retain: boolean }): void {
    const { topic, payload, retain: isRetained } = packet
    const deadlineMs = Number.POSITIVE_INFINITY
    const message = {
      topic,
      payload,
      qos: 0,
      isRetained,
      properties: undefined,
      deadlineMs,
    } as const
    this.#parts.topics.publish(message)
  }

  async #authenticate(
    client: Client,
    userName: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, isAllowed: boolean | null) => void,
  ): Promise<void> {
    const connection = this.#byClient.get(client)
    if (connection === undefined) return
    this.#lobby.leave(connection)
    try {
      const id = await this.#gate.enter(connection, client.id, { userName, password })
      if (id === undefined) return
      renameClient(client, id)
      await this.#takeOver(id, connection)
      if (!connection.isClosed) done(null, true)
    } catch (error) {
      const { log } = this.#parts
      if (!(error instanceof RelayError)) log.error({ error }, 'a sign-in failed')
      else log.info({ address: connection.address, code: error.code }, error.message)
      const refusal = new Error('sign-in refused', { cause: error })
      done(Object.assign(refusal, { returnCode: returnCodeOf(error) }), false)
    }
  }

  /**
   * Ends the connection that has the session now [MQTT-3.1.4-3], and waits until aedes is done
   * with it: of two that aedes takes over at once, both would stay.
   */
  async #takeOver(id: string, connection: Connection): Promise<void> {
    const older = this.#newest.get(id)
    this.#newest.set(id, connection)
    older?.disconnect(REASON.sessionTakenOver)
    while (isRegistered(this.#aedes, id)) await once(this.#aedes, 'clientDisconnect')
  }

  /** The will of a client that has just left, or of one that an earlier run has lost. */
  #publishWill(client: Client | undefined, id: string, will: Will): void {
    try {
      const connection = client && this.#byClient.get(client)
      const author = this.#gate.authorOf(connection, id)
      this.#inbound.will(author, will, this.#parts.topics.session(id))
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      this.#parts.log.info({ client: id, code: error.code }, error.message)
    }
  }
}
