/**
 * What the roster keeps as state in the journal:
 *
 *     user    {user}          {isAdmin, createdAtMs, credential, presence}
 *     thing   {thing}         {createdAtMs, credential}
 *     device  {user}/{slot}   {id, number, firstSeenMs, lastSeen, seenAgeMs, holds, isRevoked}
 *
 * A user has `devicesPerUserMax` slots and a new device overwrites the slot of the one that is
 * forgotten for it, because a removed state record leaves a trace in the journal: a client that
 * invents device ids must not fill the disk with such traces.
 */
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { LIMITS } from '../limits.ts'
import type { Stamp } from '../message/message.ts'
import { type DeviceId, deviceId, type UserId, userId } from '../message/names.ts'
import { parsePhc } from './phc.ts'
import type { Privacy } from './presence.ts'

/**
 * Last-writer-wins records in the journal, durable with its next commit. `ageMs` counts the
 * milliseconds that relays have been running on this store, over all restarts.
 */
export interface StateLog {
  put(kind: string, key: string, value: unknown): void
  removeState(kind: string, key: string): void
  ageMs(): number
}

export const KIND = { user: 'user', thing: 'thing', device: 'device' } as const

export type UserRecord = {
  readonly isAdmin: boolean
  readonly createdAtMs: number
  readonly credential: string
  readonly presence: Privacy
  /** Whether any device has ever asked what became of the user's messages. */
  readonly wantsReceipts?: boolean
}

export type ThingRecord = { readonly createdAtMs: number; readonly credential: string }

export type DeviceRecord = {
  readonly id: DeviceId
  readonly number: number
  readonly firstSeenMs: number
  readonly lastSeen: Stamp
  readonly seenAgeMs: number
  readonly holds: { readonly inbox: boolean; readonly receipts: boolean }
  readonly isRevoked: boolean
}

/** Beyond this, a date cannot be written as ISO 8601. */
const DATE_MS_MAX = 8.64e15
/** Far from where integers lose precision. */
const NUMBER_MAX = 2 ** 48
const DateMs = Type.Number({ minimum: -DATE_MS_MAX, maximum: DATE_MS_MAX })
const Credential = Type.Refine(Type.String(), (text) => parsePhc(text) !== undefined)

const userShape = Compile(
  Type.Object({
    isAdmin: Type.Boolean(),
    createdAtMs: DateMs,
    credential: Credential,
    presence: Type.Enum(['everyone', 'contacts', 'nobody']),
    wantsReceipts: Type.Optional(Type.Boolean()),
  }),
)
const thingShape = Compile(Type.Object({ createdAtMs: DateMs, credential: Credential }))
const deviceShape = Compile(
  Type.Object({
    id: Type.String(),
    number: Type.Integer({ minimum: 1, maximum: NUMBER_MAX }),
    firstSeenMs: DateMs,
    lastSeen: Type.Object({
      atMs: DateMs,
      clock: Type.Enum(['none', 'device', 'peer', 'ntp', 'gps']),
    }),
    seenAgeMs: Type.Number({ minimum: 0 }),
    holds: Type.Object({ inbox: Type.Boolean(), receipts: Type.Boolean() }),
    isRevoked: Type.Boolean(),
  }),
)

/** The record, or `undefined` for a value that is none. */
export function userRecord(value: unknown): UserRecord | undefined {
  return userShape.Check(value) ? value : undefined
}

/** The record, or `undefined` for a value that is none. */
export function thingRecord(value: unknown): ThingRecord | undefined {
  return thingShape.Check(value) ? value : undefined
}

/**
 * The record, or `undefined` for a value that is none.
 * @throws BAD_NAME
 */
export function deviceRecord(value: unknown): DeviceRecord | undefined {
  return deviceShape.Check(value) ? { ...value, id: deviceId(value.id) } : undefined
}

export function deviceKey(user: UserId, slot: number): string {
  return `${user}/${slot}`
}

/**
 * The user and slot of a device's key, or `undefined` for a key that is none.
 * @throws BAD_NAME
 */
export function parseDeviceKey(key: string): { user: UserId; slot: number } | undefined {
  const found = /^([^/]+)\/(\d{1,4})$/.exec(key)
  if (found === null) return undefined
  const slot = Number(found[2])
  return slot < LIMITS.devicesPerUserMax ? { user: userId(found[1] ?? ''), slot } : undefined
}
