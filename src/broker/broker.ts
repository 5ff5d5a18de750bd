/**
 * The MQTT side of the relay: aedes for sessions, subscriptions, wills, retained messages and
 * ordinary topics; in front of it one `Connection` for each client; sign-in and topic rules.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  Aedes,
  type AedesPublishPacket,
  type AuthenticateError,
  type Client,
  type Subscription,
} from 'aedes'
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
  endsWithConnection,
  isRegistered,
  mendBroker,
  mendClient,
  mendForward,
  mendResumption,
  mendWill,
  renameClient,
} from './aedes-mends.ts'
import type { AedesPort } from './aedes-port.ts'
import { Connection } from './connection.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { Connections } from './connections.ts'
import { ConnectedDevice } from './device-port.ts'
import { deviceOf, Gate, returnCodeOf } from './gate.ts'
import { Guests } from './guests.ts'
import { Inbound } from './inbound.ts'
import { Lobby } from './lobby.ts'
import { Flusher } from './outbox.ts'
import type { Persistence } from './persistence/persistence.ts'
import type { Publish } from './publish.ts'
import { SystemTopics } from './system-topics.ts'
import { Traffic } from './traffic.ts'
import { FAILURE, REASON } from './wire.ts'

export type BrokerParts = {
  readonly store: Pick<Store, 'isFull'>
  readonly post: PostOffice
  readonly roster: Roster
  readonly signIn: SignIn
  readonly persistence: Persistence
  readonly mailboxes: Pick<Mailboxes, 'queued' | 'bytes'>
  readonly version: string
  readonly clock: Clock
  readonly log: Log
}

/** A will as aedes hands it over; with the id of its session where an earlier run has lost it. */
type Will = {
  topic: string
  payload: string | Buffer
  qos: 0 | 1 | 2
  clientId?: string
  properties?: object
}

/** Tells aedes that a will is no business of its own any more. */
const WILL_TAKEN = new RelayError('NOT_AUTHORIZED', 'the will is a message, not of a topic')

export class Broker implements ConnectionOwner {
  readonly #parts: BrokerParts
  readonly #gate: Gate
  readonly #guests: Guests
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
    this.#inbound = new Inbound(
      {
        ...parts,
        signal: (topic, payload) => this.#signal(topic, payload),
        canRetain: (topic) => parts.persistence.hasRoomForRetained(topic),
      },
      options,
    )
    this.#aedes = new Aedes({
      id: options.id,
      persistence: parts.persistence,
      connectTimeout: LIMITS.connectMsMax,
      // A bound would make messages wait in a list that ends in a recursion, and in a crash.
      concurrency: 0,
      // Slow readers are ours to deal with: nothing in aedes ever waits for a socket.
      drainTimeout: 0,
      maximumPacketSize: LIMITS.packetBytesMax,
      receiveMaximum: LIMITS.receiveMax,
      topicAliasMaximum: LIMITS.topicAliasMax,
      maxTopicLevels: LIMITS.topicLevelsMax,
      sessionExpiryIntervalLimit: LIMITS.expiresAfterSMax,
      authenticate: (client, user, password, done) => {
        void this.#authenticate(client, user, password, done)
      },
      authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
      authorizeSubscribe: (client, wanted, done) =>
        done(null, this.#maySubscribe(client, wanted) ? wanted : null),
      authorizeForward: (client, packet) => this.#forwarded(client, packet),
      published: (packet, client, done) => {
        const connection = client ? this.#byClient.get(client) : undefined
        if (packet.qos === 1) connection?.acknowledgements.published(packet.messageId ?? 0)
        done(null)
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
    this.#aedes.addListener('error', (error: unknown) => {
      // Of a sweep through the wills of an earlier run, in which one was refused.
      if (error instanceof RelayError) log.info({ code: error.code }, error.message)
      else log.error({ error }, 'aedes failed')
    })
    this.#aedes.on('connackSent', ({ returnCode, reasonCode, sessionPresent }, client) => {
      if ((returnCode ?? 0) === 0 && (reasonCode ?? 0) === 0) {
        const connection = this.#byClient.get(client)
        connection?.accepted(sessionPresent || this.hasUnfinished(connection))
      }
    })
    this.#aedes.on('subscribe', (subscriptions, client) => {
      this.#dropRefused(client, subscriptions)
      this.#subscribed(client)
    })
    this.#aedes.on('unsubscribe', (filters, client) => {
      // aedes says the same of a clean session that ends; mail is kept for its device.
      if (!client.closed) this.#unsubscribed(client, filters)
    })
    await this.#aedes.listen()
    await this.#guests.forget()
    // What is retained may be of a run that was killed.
    for (const { id } of this.#parts.roster.users()) this.publishPresence(id)
    this.#system.start()
  }

  /** Says goodbye to every client; sessions and mail stay. */
  async stop(): Promise<void> {
    this.#system.stop()
    await new Promise<void>((resolve) => this.#aedes.close(resolve))
    this.#connections.disconnectAll(REASON.serverShuttingDown)
    await this.#parts.persistence.destroy()
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
    const { persistence } = this.#parts
    mendClient(client, (id) => connection.isInFlight(id) || persistence.isPacketIdTaken(client, id))
    this.#byClient.set(client, connection)
    return client
  }

  publish(connection: Connection, publish: Publish): boolean {
    return this.#inbound.publish(connection, publish)
  }

  /** aedes sees a session only in subscriptions. */
  hasUnfinished({ client, connect }: Connection): boolean {
    if (connect === undefined || connect.isClean || connect.version === 3) return false
    return this.#parts.persistence.hasUnfinished(client)
  }

  connected(connection: Connection): void {
    this.#connections.signedIn(connection)
    this.#traffic.connected(this.clients)
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

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#lobby.leave(connection)
    const { identity, session, client } = connection
    const { post, roster } = this.#parts
    if (session !== undefined) post.disconnected(session)
    if (endsWithConnection(client)) this.#forgetIncoming(client)
    if (this.#newest.get(client.id) === connection) this.#newest.delete(client.id)
    if (identity?.kind !== 'user' || !connection.isRegistered) return
    const device = deviceOf(connection)
    roster.disconnected(identity.user, device)
    if (connection.connect?.clientId === '' && client.clean) {
      this.#guests.left(identity.user, device)
    }
  }

  /** aedes leaves the unfinished QoS 2 publishes of a session that ends (GHSA-p8r9-qf8w-p73r). */
  #forgetIncoming(client: Client): void {
    this.#parts.persistence.cleanIncoming(client).catch((error: unknown) => {
      this.#parts.log.warn({ client: client.id, error }, 'the end of a session was not stored')
    })
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

  #signal(topic: string, payload: Buffer): void {
    this.#publish({ topic, payload: Buffer.from(payload), retain: false })
  }

  #publish(packet: { topic: string; payload: Buffer; retain: boolean }): void {
    if (this.#aedes.closed) return
    this.#aedes.publish({ cmd: 'publish', qos: 0, dup: false, ...packet }, (error) => {
      if (error) this.#parts.log.warn({ topic: packet.topic, error }, 'a topic was not published')
    })
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
      if (connection.connect !== undefined) mendResumption(client, connection.connect)
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

  /** Publishes were decided in front; wills come here, when their client is gone. */
  #authorizePublish(
    client: Client | null,
    packet: Will,
    done: (error?: Error | null) => void,
  ): void {
    if (client !== null && !client.closed) {
      done(null)
      return
    }
    try {
      const connection = client === null ? undefined : this.#byClient.get(client)
      const author = this.#gate.authorOf(connection, client?.id ?? packet.clientId ?? '')
      const will = { ...packet, payload: Buffer.from(packet.payload), isRetained: false }
      if (!this.#inbound.will(author, will)) throw WILL_TAKEN
      mendWill(packet)
      done(null)
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      if (client === null) this.#dropWill(packet)
      const id = client?.id ?? packet.clientId
      if (error !== WILL_TAKEN)
        this.#parts.log.info({ client: id, code: error.code }, error.message)
      done(error)
    }
  }

  /** Of wills that an earlier run has left, aedes keeps those that it may not publish, for ever. */
  #dropWill({ clientId = '' }: Will): void {
    this.#parts.persistence.delWill({ id: clientId }).catch((error: unknown) => {
      this.#parts.log.warn({ client: clientId, error }, 'a will that is done with is still stored')
    })
  }

  #maySubscribe(client: Client, { topic, qos }: Subscription): boolean {
    const connection = this.#byClient.get(client)
    return connection !== undefined && this.#gate.maySubscribe(connection, topic, qos)
  }

  /** Asked for every delivery; aedes writes the packet that it has asked with. */
  #forwarded(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const connection = this.#byClient.get(client)
    if (connection === undefined || !this.#gate.mayRead(connection, packet.topic)) return null
    const isDuplicate = this.#parts.persistence.wasSentBefore(client, packet)
    mendForward(client, packet, { isDuplicate })
    return packet
  }

  /** aedes stores every filter of a SUBSCRIBE, also those that were refused. */
  #dropRefused(client: Client, subscriptions: readonly Subscription[]): void {
    // After SUBACK the QoS of each is the reason code that was sent.
    const refused = subscriptions.filter(({ qos }) => Number(qos) >= FAILURE)
    if (refused.length === 0 || client.clean) return
    const filters = refused.map(({ topic }) => topic)
    this.#parts.persistence.removeSubscriptions(client, filters).catch((error: unknown) => {
      this.#parts.log.warn({ client: client.id, error }, 'a refused filter is still stored')
    })
  }

  #unsubscribed(client: Client, gone: readonly string[]): void {
    const connection = this.#byClient.get(client)
    if (connection?.identity?.kind !== 'user') return
    this.#subscribed(client)
    const left = connection.filters
    this.#guests.unsubscribed(connection.identity.user, deviceOf(connection), { gone, left })
  }

  #subscribed(client: Client): void {
    const connection = this.#byClient.get(client)
    connection?.session?.subscribed(connection.filters)
  }
}
