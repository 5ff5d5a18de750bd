/** A user as everybody above the roster sees it: without the credential. */
import type { Stamp } from '../message/message.ts'
import type { DeviceId, UserId } from '../message/names.ts'
import type { Device } from './device.ts'
import type { Privacy } from './presence.ts'
import type { UserRecord } from './records.ts'
import type { UserDevices } from './user-devices.ts'

export interface User {
  readonly id: UserId
  readonly isAdmin: boolean
  /** Wall clock, as the relay believed. */
  readonly createdAtMs: number
  /** Who may see whether the user is online. */
  readonly presence: Privacy
  /** Whether any device has ever asked what became of the user's messages. */
  readonly wantsReceipts: boolean
  readonly isOnline: boolean
  /** On any device; while online, when one came or its time was written. */
  readonly lastSeen: Stamp | undefined
  /** In the order of their registration. */
  readonly devices: ReadonlyMap<DeviceId, Device>
}

/** One object for each user, so that a look-up costs nothing; it always shows the present. */
export class Person implements User {
  readonly id: UserId
  /** As it is stored. */
  record: UserRecord
  readonly #devices: UserDevices

  constructor(parts: { record: UserRecord; devices: UserDevices }) {
    this.id = parts.devices.user
    this.record = parts.record
    this.#devices = parts.devices
  }

  get isAdmin(): boolean {
    return this.record.isAdmin
  }

  get createdAtMs(): number {
    return this.record.createdAtMs
  }

  get presence(): Privacy {
    return this.record.presence
  }

  get wantsReceipts(): boolean {
    return this.record.wantsReceipts === true
  }

  get isOnline(): boolean {
    return this.#devices.isOnline
  }

  get lastSeen(): Stamp | undefined {
    return this.#devices.lastSeen
  }

  get devices(): ReadonlyMap<DeviceId, Device> {
    return this.#devices.byId
  }
}
