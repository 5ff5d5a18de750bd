/**
 * Small changes to aedes 2.0.0-beta.1 from outside, each with the reason. They reach into fields
 * that aedes does not document, so its version is pinned and `Broker.start` refuses another.
 */
import type { Aedes, Client } from 'aedes'
import type { Frame } from './framer.ts'
import { REASON, type Version } from './wire.ts'

/** The version that these changes were made for. */
export const AEDES_VERSION = '2.0.0-beta.1'

/**
 * Names such as `__proto__` are names: tables of aedes that are plain objects get no prototype
 * (GHSA-52qw-whmv-87c5, fixed in 1.1.3 and not in the beta).
 */
export function mendBroker(aedes: Aedes): void {
  const clients: Record<string, Client> = Object.create(null)
  Object.assign(aedes, { clients, brokers: Object.create(null) })
  mendRegistry(aedes as unknown as Registry, clients)
}

/** What aedes does when a client has signed in, and when it has gone. */
type Registry = {
  registerClient(client: Client): void
  unregisterClient(client: Client): void
}

/**
 * A connection that ends while its CONNECT is still under way would be registered for ever; one
 * that ends while another has its client id would take that one's place, and its session, along.
 * When a session ends is decided by its lifetime, also over a restart, and not by a timer of aedes.
 */
function mendRegistry(aedes: Registry, clients: Record<string, Client>): void {
  const register = aedes.registerClient.bind(aedes)
  const unregister = aedes.unregisterClient.bind(aedes)
  Object.assign(aedes, {
    registerClient(client: Client) {
      if (!client.closed) register(client)
    },
    unregisterClient(client: Client) {
      if (clients[client.id] === client) unregister(client)
    },
    scheduleSessionExpiry: () => undefined,
  })
}

/** Whether aedes has a client under this id. */
export function isRegistered(aedes: Aedes, id: string): boolean {
  return (Reflect.get(aedes, 'clients') as Record<string, Client>)[id] !== undefined
}

/** A packet that aedes cannot deal with ends its client, not the process. */
export function mendClient(client: Client): void {
  const parser = Reflect.get(client, '_parser') as { parse(bytes: Buffer): number }
  const parse = parser.parse.bind(parser)
  parser.parse = (bytes) => {
    try {
      return parse(bytes)
    } catch (error) {
      client.emit('error', error)
      return 0
    }
  }
}

/** Gives a client an id before aedes looks its session up. */
export function renameClient(client: Client, id: string): void {
  Object.assign(client, { id })
}

/** aedes restarts the keep alive of a client only for packets that it sees [MQTT-3.1.2-22]. */
export function keepAlive(client: Client): void {
  const timer: unknown = Reflect.get(client, '_keepaliveTimer')
  if (timer instanceof Object && 'refresh' in timer && typeof timer.refresh === 'function') {
    timer.refresh()
  }
}

/** Seconds that the session outlives the connection: as CONNECT said, and then DISCONNECT. */
export function outlivesS(client: Client): number {
  return Number(Reflect.get(client, 'sessionExpiryInterval') ?? 0)
}

/** A client that says goodbye with anything but success leaves its will; to aedes only by 0x04 does. */
export function mendDisconnect({ bytes, bodyAt }: Frame, version: Version): Buffer {
  // [MQTT-3.14.4-3]
  if (version === 5 && (bytes[bodyAt] ?? REASON.success) !== REASON.success) {
    bytes[bodyAt] = REASON.disconnectWithWill
  }
  return bytes
}
