/**
 * The relay: starts its parts bottom-up and stops them in reverse. With office.ts the only file
 * that knows all folders.
 */
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Broker } from './broker/broker.ts'
import { TcpListener, TlsListener, WebSocketGate } from './broker/listener.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config/config.ts'
import { Operations } from './control/operations.ts'
import type { Condition, OperationParts, PostPart } from './control/parts.ts'
import { ControlServer } from './control/server.ts'
import { Inquiry, type InquiryParts } from './delivery/inquiry.ts'
import { Janitor } from './delivery/janitor.ts'
import type { Figures } from './http/metrics.ts'
import { HttpServer } from './http/server.ts'
import { systemRandom } from './ids.ts'
import type { Log } from './log.ts'
import { type ThingId, type UserId, userId } from './message/names.ts'
import { Office } from './office.ts'
import { problemsOf } from './problems.ts'
import { SignIn } from './roster/sign-in.ts'
import { isCode } from './store/folder.ts'
import { diskUsage } from './store/usage.ts'
import { Certificates } from './tls/certificates.ts'
import { namesOf } from './tls/names.ts'
import { VERSION } from './version.ts'

/** The store has a folder of its own in the data directory. */
const STORE = 'store'
/** So have certificates. */
const TLS = 'tls'

/** The user that a new relay has. */
const FIRST_ADMIN = userId('admin')

/** Where a relay listens; ports are real ones, also where 0 was configured. */
export type Addresses = {
  readonly mqtt: { readonly host: string; readonly port: number }
  /** Absent where another program has the port. */
  readonly mqtts?: { readonly host: string; readonly port: number }
  readonly http: { readonly host: string; readonly port: number }
}

type Running = {
  readonly broker: Broker
  readonly janitor: Janitor
  readonly tcp: TcpListener
  readonly tls: TlsListener
  readonly http: HttpServer
  readonly control: ControlServer
}

export class Relay {
  readonly #config: Config
  readonly #log: Log
  readonly #office: Office
  #running: Running | undefined
  readonly #certificates: Certificates
  #startedMs = 0
  #firstAdmin: { readonly id: string; readonly password: string } | undefined

  constructor(config: Config, parts: { log: Log }) {
    this.#config = config
    this.#log = parts.log
    this.#certificates = certificatesOf(config, parts.log)
    this.#office = officeOf(config, parts.log, (user) =>
      this.#running?.broker.publishPresence(user),
    )
  }

  /**
   * Opens the store, and then the doors.
   * @throws STORE_LOCKED where another relay runs on the same data directory
   */
  async start(): Promise<void> {
    if (this.#running !== undefined) return
    this.#startedMs = systemClock.monotonicMs()
    await this.#office.start()
    // Before anything is told only once: a certificate that was given may be of no use.
    await this.#certificates.start()
    await this.#makeFirstAdmin()
    const running = this.#build()
    // Publishes and sign-ins are possible from here on.
    this.#running = running
    await running.broker.start()
    running.janitor.start()
    await running.tcp.start()
    await this.#startTls(running.tls)
    await running.http.start()
    await running.control.start()
  }

  /** Closes the doors, and then the store with everything committed. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running !== undefined) {
      await running.control.stop()
      await Promise.all([running.tcp.stop(), running.tls.stop(), running.broker.stop()])
      await running.http.stop()
      await running.janitor.stop()
    }
    this.#running = undefined
    this.#certificates.stop()
    await this.#office.stop()
  }

  /** Two relays may share a machine: TLS is left to the one that came first, and this one goes on. */
  async #startTls(tls: TlsListener): Promise<void> {
    const { host, tlsPort } = this.#config.mqtt
    try {
      await tls.start()
    } catch (error) {
      if (!isCode(error, 'EADDRINUSE')) throw error
      this.#log.error(
        { host, tlsPort },
        'mqtt.tls_port is in use; this relay offers no MQTT over TLS',
      )
    }
  }

  get addresses(): Addresses {
    const { mqtt, http } = this.#config
    const tlsPort = this.#running?.tls.port ?? 0
    return {
      mqtt: { host: mqtt.host, port: this.#running?.tcp.port ?? mqtt.port },
      ...(tlsPort === 0 ? {} : { mqtts: { host: mqtt.host, port: tlsPort } }),
      http: { host: http.host, port: this.#running?.http.port ?? http.port },
    }
  }

  /** The certificate that clients have to trust; none where the operator has given one. */
  get authorityPath(): string | undefined {
    return this.#certificates.authorityPath
  }

  /** The first user and its password; only in the run that made the store. */
  get firstAdmin(): { readonly id: string; readonly password: string } | undefined {
    return this.#firstAdmin
  }

  async #makeFirstAdmin(): Promise<void> {
    const { roster } = this.#office.open
    if (roster.users().some(({ isAdmin }) => isAdmin) || roster.user(FIRST_ADMIN)) return
    this.#firstAdmin = await roster.addUser(FIRST_ADMIN, { isAdmin: true })
    await this.#office.store.committed()
  }

  #build(): Running {
    const log = this.#log
    const config = this.#config
    const { store } = this.#office
    const open = this.#office.open
    const parts = {
      clock: systemClock,
      random: systemRandom,
      version: VERSION,
      log,
      store,
      ...open,
    }
    const signIn = new SignIn(parts, { allowsAnonymous: config.access.isAnonymousAllowed })
    const broker = new Broker({ ...parts, signIn }, { id: open.id, rules: config.access.rules })
    const gate = new WebSocketGate({ handler: broker })
    const certificates = this.#certificates
    const { mqtt } = config
    const operations = new Operations(this.#operationParts(broker))
    return {
      broker,
      janitor: new Janitor(parts, config.messages),
      tcp: new TcpListener({ ...parts, handler: broker }, mqtt),
      tls: new TlsListener(
        { ...parts, certificates, handler: broker },
        { host: mqtt.host, port: mqtt.tlsPort },
      ),
      http: new HttpServer(
        {
          ...parts,
          certificates,
          upgrade: (request, socket, head) => gate.upgrade(request, socket, head),
          reasonsNotReady: () => (store.isFull ? ['the disk is full'] : []),
          figures: () => this.#figures(broker),
        },
        config.http,
      ),
      control: new ControlServer({ ...parts, operations }, config),
    }
  }

  #operationParts(broker: Broker): OperationParts {
    return operationParts(this.#office, this.#config, {
      condition: () => this.#condition(broker),
      disconnectUser: (user) => broker.disconnect(user),
      disconnectThing: (thing) => broker.disconnectThing(thing),
      disconnectDevice: (user, device) => broker.disconnect(user, device),
    })
  }

  async #condition(broker: Broker): Promise<Condition> {
    const { store } = this.#office
    return {
      relay: this.#config.relay.name,
      version: VERSION,
      uptimeMs: Math.floor(systemClock.monotonicMs() - this.#startedMs),
      clients: broker.clients,
      disk: await diskUsage(this.#config.dataDir, this.#config.quota.diskBytesMax),
      links: [],
      problems: problemsOf({
        store,
        quality: systemClock.quality(),
        isTlsMissing: this.addresses.mqtts === undefined,
      }),
    }
  }

  async #figures(broker: Broker): Promise<Figures> {
    const { stats } = this.#office.store
    const { version, clients, uptimeMs, disk } = await this.#condition(broker)
    return {
      version,
      clients,
      messages: this.#office.open.counts.ledger,
      commits: stats.commits,
      committedBytes: stats.bytesWritten,
      withdrawn: stats.withdrawn,
      fsyncMs: stats.fsyncMs,
      diskUsedBytes: disk.usedBytes,
      uptimeMs,
    }
  }
}

/**
 * The parts that commands work on where no relay runs: the store itself.
 * @throws STORE_LOCKED where a relay runs after all
 */
export async function openOffline(
  config: Config,
  parts: { log: Log },
): Promise<{ parts: OperationParts; close(): Promise<void> }> {
  const office = officeOf(config, parts.log, () => undefined)
  await office.start()
  const nobody = () => undefined
  return {
    parts: operationParts(office, config, {
      condition: () => Promise.reject(new Error('a relay that does not run has no condition')),
      disconnectUser: nobody,
      disconnectThing: nobody,
      disconnectDevice: nobody,
    }),
    close: () => office.stop(),
  }
}

function officeOf(config: Config, log: Log, onPresence: (user: UserId) => void): Office {
  const parts = { clock: systemClock, random: systemRandom, log, onPresence }
  return new Office(parts, config, join(config.dataDir, STORE))
}

function certificatesOf({ dataDir, relay, tls }: Config, log: Log): Certificates {
  const names = () => namesOf(hostname(), networkInterfaces())
  return new Certificates(
    { clock: systemClock, log, random: systemRandom, names },
    { folder: join(dataDir, TLS), name: `Waypost ${relay.name}`, ...tls },
  )
}

type Surroundings = Pick<OperationParts, 'condition'> &
  Pick<PostPart, 'disconnectUser'> & {
    disconnectThing(thing: ThingId): void
    disconnectDevice(user: UserId, device: string): void
  }

function operationParts(office: Office, config: Config, around: Surroundings): OperationParts {
  const { store } = office
  const { journal, records, roster, post, counts, topics } = office.open
  const isConnected: InquiryParts['isConnected'] = (user, device) =>
    post.sessionsOf(user).some((session) => session.port.device === device.id)
  const inquiry = new Inquiry(
    { store, records, journal, roster, isConnected },
    { relay: config.relay.name, listedForMs: config.messages.listedForMs },
  )
  return {
    roster,
    post: {
      list: (filter) => inquiry.list(filter),
      trace: (id) => inquiry.trace(id),
      counts: () => counts.ledger,
      disconnectUser: around.disconnectUser,
      thingRemoved: async (thing) => {
        around.disconnectThing(thing)
        await topics.endSessions((id) => id.startsWith(`thing:${thing}/`))
      },
      userRemoved: async (user) => {
        await topics.endSessions((id) => id.startsWith(`${user}/`))
        await post.userRemoved(user)
      },
      deviceRevoked: async (user, device) => {
        around.disconnectDevice(user, device)
        await topics.endSessions((id) => id === `${user}/${device}`)
        await post.devicesLeft(user)
      },
    },
    condition: around.condition,
    durable: () => store.committed(),
  }
}
