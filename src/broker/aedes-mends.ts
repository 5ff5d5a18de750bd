/**
 * Small changes to aedes 2.0.0-beta.1 from outside, each with the reason. They reach into fields
 * that aedes does not document, so its version is pinned and `Broker.start` refuses another.
 */
import type { Aedes, Client } from 'aedes'
import { OTHER_ID_MAX } from '../delivery/packet-id.ts'

/** The version that these changes were made for. */
export const AEDES_VERSION = '2.0.0-beta.1'

/**
 * Names such as `__proto__` are names: tables of aedes that are plain objects get no prototype
 * (GHSA-52qw-whmv-87c5, fixed in 1.1.3 and not in the beta).
 */
export function mendBroker(aedes: Aedes): void {
  Object.assign(aedes, { clients: Object.create(null), brokers: Object.create(null) })
}

/** @see mendBroker; and packet identifiers of aedes stay below those of delivery. */
export function mendClient(client: Client): void {
  Object.assign(client, { subscriptions: Object.create(null), duplicates: Object.create(null) })
  let next = 1
  Object.defineProperty(client, '_nextId', {
    get: () => next,
    set: (value: number) => {
      next = value > OTHER_ID_MAX ? 1 : value
    },
  })
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
