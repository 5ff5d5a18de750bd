/**
 * The MQTT side of the relay: aedes for sessions, subscriptions, wills, retained messages and
 * ordinary topics; in front of it one `Connection` for each client; sign-in and topic rules.
 */
import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client, type Subscription } from 'aedes'
import type { Clock } from '../clock.ts'
import type { PostOffice } from '../delivery/post-office.ts'
import { boxesReached } from '../delivery/session.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { deviceId, type UserId } from '../message/names.ts'
import { presenceTopic } from '../message/topic.ts'
import { accountNamed, type Identity } from '../roster/identity.ts'
import type { Roster } from '../roster/roster.ts'
import type { SignIn } from '../roster/sign-in.ts'
import type { Store } from '../store/store.ts'
import { mayRead, maySubscribe, type Rules } from './access.ts'
import { AEDES_VERSION, mendBroker, mendClient, renameClient } from './aedes-mends.ts'
import type { AedesPort } from './aedes-port.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { ConnectedDevice } from './device-port.ts'
import { Inbound, nameOf } from './inbound.ts'
import { Flusher } from './outbox.ts'
import type { Persistence } from './persistence/persistence.ts'
import type { Publish } from './publish.ts'
import { FAILURE, REASON } from './wire.ts'

export type BrokerParts = {
  readonly store: Pick<Store, 'isFull'>
  readonly post: PostOffice
  readonly roster: Roster
  readonly signIn: SignIn
  readonly persistence: Persistence
  readonly clock: Clock
  readonly log: Log
}

/** CONNACK return codes of 3.1.1 (3.2.2.3); aedes makes MQTT 5's of them. */
const RETURN_CODE = { idRejected: 2, unavailable: 3, badCredentials: 4, notAuthorized: 5 } as const

export class Broker implements ConnectionOwner {
  readonly #parts: BrokerParts
  readonly #rules: Rules
  readonly #aedes: Aedes
  readonly #inbound: Inbound
  readonly #flusher = new Flusher()
  readonly #connections = new Set<Connection>()
  readonly #byClient = new WeakMap<Client, Connection>()

  /** @param options.id name of the broker for aedes; the same after a restart */
  constructor(parts: BrokerParts, options: { id: string; rules: Rules }) {
    this.#parts = parts
    this.#rules = options.rules
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
      // Slow readers are ours to deal with: nothing in aedes ever waits for a socket.
      drainTimeout: 0,
      maximumPacketSize: LIMITS.packetBytesMax,
      receiveMaximum: LIMITS.receiveMax,
      maxTopicLevels: LIMITS.topicLevelsMax,
      sessionExpiryIntervalLimit: LIMITS.expiresAfterSMax,
      authenticate: (client, user, password, done) => {
        void this.#authenticate(client, user, password, done)
      },
      authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
      authorizeSubscribe: (client, wanted, done) => done(null, this.#allowed(client, wanted)),
      authorizeForward: (client, packet) =>
        this.#mayForward(client, packet.topic) ? packet : null,
      published: (packet, client, done) => {
        const connection = client ? this.#byClient.get(client) : undefined
        if (packet.qos === 1) connection?.acknowledgements.published(packet.messageId ?? 0)
        done(null)
      },
    })
  }

  /** Clients that are signed in. */
  get clients(): number {
    return this.#aedes.connectedClients
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
    this.#aedes.on('connackSent', ({ returnCode, reasonCode, sessionPresent }, client) => {
      if ((returnCode ?? 0) === 0 && (reasonCode ?? 0) === 0) {
        this.#byClient.get(client)?.accepted(sessionPresent)
      }
    })
    this.#aedes.on('subscribe', (subscriptions, client) => {
      this.#dropRefused(client, subscriptions)
      this.#subscribed(client)
    })
    this.#aedes.on('unsubscribe', (_filters, client) => this.#subscribed(client))
    await this.#aedes.listen()
    // What is retained may be of a run that was killed.
    for (const { id } of this.#parts.roster.users()) this.publishPresence(id)
  }

  /** Says goodbye to every client; sessions and mail stay. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(resolve))
    for (const connection of this.#connections) connection.disconnect(REASON.serverShuttingDown)
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
    const parts = { owner: this, socket, flusher: this.#flusher, ...this.#parts }
    const connection = new Connection(parts, { address })
    this.#connections.add(connection)
    connection.start()
  }

  attach(port: AedesPort, connection: Connection): Client {
    const client = this.#aedes.handle(port)
    mendClient(client)
    this.#byClient.set(client, connection)
    return client
  }

  publish(connection: Connection, publish: Publish, pass: () => void): void {
    this.#inbound.publish(connection, publish, pass)
  }

  connected(connection: Connection): void {
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
    const { identity, session, client } = connection
    const { post, roster } = this.#parts
    if (session !== undefined) post.disconnected(session)
    if (client.clean) this.#forgetIncoming(client)
    if (identity?.kind !== 'user' || !connection.isRegistered) return
    const device = deviceOf(connection)
    roster.disconnected(identity.user, device)
    // The relay chose this name; nobody will ever come back under it.
    if (connection.connect?.clientId === '') {
      roster.release(identity.user, device, ['inbox', 'receipts'])
      this.#settleAfter(identity.user)
    }
  }

  /** aedes leaves the unfinished QoS 2 publishes of a session that ends (GHSA-p8r9-qf8w-p73r). */
  #forgetIncoming(client: Client): void {
    this.#parts.persistence.cleanIncoming(client).catch((error: unknown) => {
      this.#parts.log.warn({ client: client.id, error }, 'the end of a session was not stored')
    })
  }

  #settleAfter(user: UserId): void {
    this.#parts.post.devicesLeft(user).catch((error: unknown) => {
      this.#parts.log.error({ user, error }, 'mail of a device that left could not be settled')
    })
  }

  /** Ends the connections of a user, or of one device of it. */
  disconnect(user: UserId, device?: string): void {
    for (const connection of this.#connections) {
      const { identity } = connection
      if (identity?.kind !== 'user' || identity.user !== user) continue
      if (device === undefined || deviceOf(connection) === device) {
        connection.disconnect(REASON.administrativeAction)
      }
    }
  }

  /** Ends the connections of a thing. */
  disconnectThing(thing: string): void {
    for (const connection of this.#connections) {
      const { identity } = connection
      if (identity?.kind === 'thing' && identity.thing === thing) {
        connection.disconnect(REASON.administrativeAction)
      }
    }
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
    const { signIn, roster, log } = this.#parts
    try {
      const identity = await signIn.authenticate(userName, password, connection.address)
      // The client may have given up while the password was checked.
      if (connection.isClosed) return
      connection.identity = identity
      connection.assignedId = client.id
      if (identity.kind === 'user') {
        roster.connected(identity.user, deviceId(client.id))
        connection.isRegistered = true
      }
      // Equal client ids of two users never meet; `/` is in no user name.
      renameClient(client, `${nameOf(identity)}/${client.id}`)
      done(null, true)
    } catch (error) {
      if (!(error instanceof RelayError)) log.error({ error }, 'a sign-in failed')
      else log.info({ address: connection.address, code: error.code }, error.message)
      done(refusal(error), false)
    }
  }

  /** Publishes were decided in front; wills come here, when their client is gone. */
  #authorizePublish(
    client: Client | null,
    packet: { topic: string; payload: string | Buffer; qos: 0 | 1 | 2; clientId?: string },
    done: (error?: Error | null) => void,
  ): void {
    if (client !== null && !client.closed) {
      done(null)
      return
    }
    try {
      const identity = this.#author(client, packet.clientId)
      const will = { ...packet, payload: Buffer.from(packet.payload), isRetained: false }
      if (this.#inbound.will(identity, will)) done(null)
      else done(new RelayError('NOT_AUTHORIZED', 'the will has gone another way'))
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      done(error)
    }
  }

  /** Whose will it is: of a client that has just left, or of one that an earlier run has lost. */
  #author(client: Client | null, clientId = ''): Identity {
    const identity = client === null ? undefined : this.#byClient.get(client)?.identity
    if (identity !== undefined) return identity
    const account = accountNamed(clientId.slice(0, clientId.indexOf('/')))
    if (account?.kind === 'thing' && this.#parts.roster.thing(account.thing)) return account
    const user = account?.kind === 'user' ? this.#parts.roster.user(account.user) : undefined
    if (user === undefined) throw new RelayError('NOT_AUTHORIZED', 'its author is not known here')
    return { kind: 'user', user: user.id, isAdmin: user.isAdmin }
  }

  /** The subscription as asked for, or `null` where it is refused. */
  #allowed(client: Client, wanted: Subscription): Subscription | null {
    const connection = this.#byClient.get(client)
    const identity = connection?.identity
    if (connection === undefined || identity === undefined) return null
    try {
      const { filter, group } = maySubscribe(identity, wanted.topic, this.#rules)
      if (group !== undefined) {
        throw new RelayError('NOT_AUTHORIZED', 'this relay has no shared subscriptions yet')
      }
      if (connection.filters.length >= LIMITS.filtersPerSessionMax) {
        const says = `${LIMITS.filtersPerSessionMax} filters, the most allowed`
        throw new RelayError('FILTERS_FULL', says)
      }
      if (identity.kind === 'user' && wanted.qos > 0) {
        for (const box of boxesReached(identity.user, [{ filter, qos: wanted.qos }])) {
          this.#parts.roster.hold(identity.user, deviceOf(connection), box)
        }
      }
      return wanted
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      const { code, message } = error
      this.#parts.log.info({ client: client.id, code }, message)
      return null
    }
  }

  #mayForward(client: Client, topic: string): boolean {
    const identity = this.#byClient.get(client)?.identity
    if (identity === undefined) return false
    const { roster } = this.#parts
    return mayRead(identity, topic, this.#rules, (owner, viewer) =>
      roster.maySeePresence(owner, viewer),
    )
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

  #subscribed(client: Client): void {
    const connection = this.#byClient.get(client)
    connection?.session?.subscribed(connection.filters)
  }
}

/** The device id of a user's connection: the client's own id, not the scoped one. */
function deviceOf(connection: Connection): ReturnType<typeof deviceId> {
  return deviceId(connection.assignedId)
}

function refusal(error: unknown): AuthenticateError {
  const code = error instanceof RelayError ? error.code : 'STORE_FAILED'
  return Object.assign(new Error(code, { cause: error }), { returnCode: returnCode(code) })
}

function returnCode(code: string): number {
  switch (code) {
    case 'WRONG_CREDENTIALS':
      return RETURN_CODE.badCredentials
    case 'BAD_NAME':
      return RETURN_CODE.idRejected
    case 'STORE_FAILED':
      return RETURN_CODE.unavailable
    default:
      return RETURN_CODE.notAuthorized
  }
}
