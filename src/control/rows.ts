/** Users, devices and things as the command line and other programs read them. */
import type { Stamp } from '../message/message.ts'
import type { Device } from '../roster/device.ts'
import type { User } from '../roster/person.ts'
import type { Thing } from '../roster/roster.ts'

/** A moment as text, and how far the clock that gave it can be trusted. */
export type SeenRow = { readonly at: string; readonly clock: string }

export type UserRow = {
  readonly id: string
  readonly admin: boolean
  readonly online: boolean
  readonly lastSeen?: SeenRow
  readonly devices: number
  readonly createdAt: string
}

export type DeviceRow = {
  readonly id: string
  readonly connected: boolean
  readonly revoked: boolean
  /** Whether messages wait for its acknowledgement. */
  readonly takesMail: boolean
  readonly lastSeen: SeenRow
  readonly firstSeenAt: string
}

export type ThingRow = { readonly id: string; readonly createdAt: string }

export function userRow(user: User): UserRow {
  const { lastSeen } = user
  return {
    id: user.id,
    admin: user.isAdmin,
    online: user.isOnline,
    ...(lastSeen === undefined ? {} : { lastSeen: seenRow(lastSeen) }),
    devices: user.devices.size,
    createdAt: iso(user.createdAtMs),
  }
}

export function deviceRow(device: Device): DeviceRow {
  return {
    id: device.id,
    connected: device.connections > 0,
    revoked: device.isRevoked,
    takesMail: device.holds.inbox,
    lastSeen: seenRow(device.lastSeen),
    firstSeenAt: iso(device.firstSeenMs),
  }
}

export function thingRow({ id, createdAtMs }: Thing): ThingRow {
  return { id, createdAt: iso(createdAtMs) }
}

function seenRow({ atMs, clock }: Stamp): SeenRow {
  return { at: iso(atMs), clock }
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}
