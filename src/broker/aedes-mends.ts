/**
 * Small changes to aedes 2.0.0-beta.1 from outside, each with the reason. They reach into fields
 * that aedes does not document, so its version is pinned and `Broker.start` refuses another.
 */
import type { Aedes, AedesPublishPacket, Client } from 'aedes'
import { OTHER_ID_MAX } from '../delivery/packet-id.ts'
import { filterMatches } from '../message/topic.ts'
import type { Connect } from './connect.ts'
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
  scheduleSessionExpiry(client: Client): void
}

/**
 * A connection that ends while its CONNECT is still under way would be registered for ever; one
 * that ends while another has its client id would take that one's place, and its session, along.
 */
function mendRegistry(aedes: Registry, clients: Record<string, Client>): void {
  const register = aedes.registerClient.bind(aedes)
  const unregister = aedes.unregisterClient.bind(aedes)
  const scheduleExpiry = aedes.scheduleSessionExpiry.bind(aedes)
  Object.assign(aedes, {
    registerClient(client: Client) {
      if (!client.closed) register(client)
    },
    unregisterClient(client: Client) {
      if (clients[client.id] === client) unregister(client)
    },
    scheduleSessionExpiry(client: Client) {
      if (clients[client.id] === undefined) scheduleExpiry(client)
    },
  })
}

/** Whether aedes has a client under this id. */
export function isRegistered(aedes: Aedes, id: string): boolean {
  return (Reflect.get(aedes, 'clients') as Record<string, Client>)[id] !== undefined
}

/**
 * @see mendBroker; and packet identifiers of aedes stay below those of delivery, and are given to
 * one message at a time [MQTT-2.3.1-4].
 * @param isTaken whether a message under this identifier is not acknowledged yet
 */
export function mendClient(client: Client, isTaken: (packetId: number) => boolean): void {
  Object.assign(client, { subscriptions: Object.create(null), duplicates: Object.create(null) })
  let next = 1
  Object.defineProperty(client, '_nextId', {
    get: () => {
      for (let tried = 1; tried < OTHER_ID_MAX && isTaken(next); tried += 1) next = after(next)
      return next
    },
    set: (value: number) => {
      next = value > OTHER_ID_MAX ? 1 : value
    },
  })
  mendParser(client)
}

function after(packetId: number): number {
  return packetId < OTHER_ID_MAX ? packetId + 1 : 1
}

/** A packet that aedes cannot deal with ends its client, not the process. */
function mendParser(client: Client): void {
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

/** The subscriptions of a client, those restored with its session included. */
export function subscriptionsOf(client: Client): [filter: string, { qos: 0 | 1 | 2 }][] {
  return Object.entries(Reflect.get(client, 'subscriptions') as Record<string, { qos: 0 | 1 | 2 }>)
}

/**
 * A packet as it goes to one client: with the highest QoS of the filters that match, where aedes
 * looks only for a filter that is the topic itself [MQTT-3.8.4-6]; and with a DUP of its own, where
 * aedes passes the sender's on [MQTT-3.3.1-1] [MQTT-3.3.1-3].
 */
export function mendForward(
  client: Client,
  packet: AedesPublishPacket,
  { isDuplicate }: { readonly isDuplicate: boolean },
): void {
  packet.dup = isDuplicate
  if (packet.qos === 0) return
  // What is in a queue leaves it by an acknowledgement; what was retained is in none.
  const least = packet.brokerId ? 1 : 0
  const granted = grantedQos(client, packet.topic) ?? packet.qos
  packet.qos = Math.min(packet.qos, Math.max(least, granted)) as 0 | 1 | 2
}

function grantedQos(client: Client, topic: string): 0 | 1 | 2 | undefined {
  let best: 0 | 1 | 2 | undefined
  for (const [filter, { qos }] of subscriptionsOf(client)) {
    if ((best === undefined || qos > best) && filterMatches(filter, topic)) best = qos
  }
  return best
}

/**
 * A session of MQTT 5 that is resumed and ends with this connection: aedes would take it for new
 * and throw away what it has kept (3.1.2.4). It still ends when the connection does.
 */
export function mendResumption(client: Client, { version, clientId, isClean }: Connect): void {
  if (version === 5 && !isClean && clientId !== '') Object.assign(client, { clean: false })
}

/** Whether nothing of a session stays when its connection ends. */
export function endsWithConnection(client: Client): boolean {
  return (
    client.clean || (client.version === 5 && Reflect.get(client, 'sessionExpiryInterval') === 0)
  )
}

/** A client that says goodbye with anything but success leaves its will; to aedes only by 0x04 does. */
export function mendDisconnect({ bytes, bodyAt }: Frame, version: Version): Buffer {
  // [MQTT-3.14.4-3]
  if (version === 5 && (bytes[bodyAt] ?? REASON.success) !== REASON.success) {
    bytes[bodyAt] = REASON.disconnectWithWill
  }
  return bytes
}

/** aedes passes the delay of a will on, and no PUBLISH has such a property (3.3.2.3). */
export function mendWill({ properties = {} }: { properties?: object }): void {
  Reflect.deleteProperty(properties, 'willDelayInterval')
}
