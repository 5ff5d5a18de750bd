/** What the relay knows of a device, and which one it forgets when there are too many. */
import type { Stamp } from '../message/message.ts'
import type { DeviceId } from '../message/names.ts'

/** What a device can keep undelivered: mail for it, and what became of its user's messages. */
export type Box = 'inbox' | 'receipts'

/** One MQTT client of a user. */
export type Device = {
  readonly id: DeviceId
  /** Names the device in short; unique within the user and never used again. */
  readonly number: number
  readonly firstSeenMs: number
  readonly lastSeen: Stamp
  /** `StateLog.ageMs` when it was last seen: the only figure to count idle time on. */
  readonly seenAgeMs: number
  readonly holds: { readonly inbox: boolean; readonly receipts: boolean }
  readonly isRevoked: boolean
  /** How many connections it has; two while a new one takes over. */
  readonly connections: number
}

/** A device as only this folder changes it. */
export type OwnDevice = {
  -readonly [Field in keyof Device]: Device[Field]
} & {
  readonly slot: number
  /** Monotonic time when it was last written as state. */
  savedMs: number
}

/** Whether mail is kept for a device. */
export function isHolding(device: Device): boolean {
  return device.holds.inbox || device.holds.receipts
}

/** The longest unseen device that holds nothing, is not connected and not revoked. */
export function deviceToForget<D extends Device>(devices: Iterable<D>): D | undefined {
  let longest: D | undefined
  for (const device of devices) {
    if (isHolding(device) || device.connections > 0 || device.isRevoked) continue
    if (longest === undefined || device.seenAgeMs < longest.seenAgeMs) longest = device
  }
  return longest
}
