/**
 * The devices of one user in memory: which there are, which are connected, which hold mail.
 * Nothing here writes or tells anybody; that is devices.ts.
 */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Stamp } from '../message/message.ts'
import { type DeviceId, shown, type UserId } from '../message/names.ts'
import { type Box, deviceToForget, isHolding, type OwnDevice } from './device.ts'
import type { DeviceRecord } from './records.ts'

/** Nothing in memory says when a restored device was written. */
const LONG_AGO_MS = Number.NEGATIVE_INFINITY

export class UserDevices {
  readonly user: UserId
  /** Whether there is such a user; state may bring devices before it brings the user. */
  isOpen = false
  readonly #byId = new Map<DeviceId, OwnDevice>()
  readonly #holders: Record<Box, OwnDevice[]> = { inbox: [], receipts: [] }
  #connections = 0

  constructor(options: { user: UserId }) {
    this.user = options.user
  }

  get byId(): ReadonlyMap<DeviceId, OwnDevice> {
    return this.#byId
  }

  get isOnline(): boolean {
    return this.#connections > 0
  }

  /** When the user was last seen on any device. */
  get lastSeen(): Stamp | undefined {
    let latest: OwnDevice | undefined
    for (const device of this.#byId.values()) {
      if (latest === undefined || device.seenAgeMs >= latest.seenAgeMs) latest = device
    }
    return latest?.lastSeen
  }

  /** The devices for which a box is kept; the same array until that changes. */
  holders(box: Box): readonly OwnDevice[] {
    return this.#holders[box]
  }

  get(id: DeviceId): OwnDevice | undefined {
    return this.#byId.get(id)
  }

  /** Puts a stored device back; `false` where a later one has the same name. */
  restore(record: DeviceRecord, slot: number): boolean {
    const rival = this.#byId.get(record.id)
    if (rival !== undefined && rival.number > record.number) return false
    this.#byId.set(record.id, { ...record, slot, connections: 0, savedMs: LONG_AGO_MS })
    this.#findHolders()
    return true
  }

  /**
   * Makes room for a new device and adds it. The one forgotten for it is the longest unseen that
   * nothing depends on. The number is one above the highest: the highest is never forgotten
   * without a higher one coming, so no number is used twice.
   * @throws DEVICES_FULL when every device holds mail, is connected or is revoked
   */
  add(
    id: DeviceId,
    seen: { at: Stamp; ageMs: number; savedMs: number },
  ): { device: OwnDevice; forgotten: OwnDevice | undefined } {
    const { slot, forgotten } = this.#place()
    const numbers = [...this.#byId.values()].map((device) => device.number)
    const device: OwnDevice = {
      id,
      number: Math.max(0, ...numbers) + 1,
      firstSeenMs: seen.at.atMs,
      lastSeen: seen.at,
      seenAgeMs: seen.ageMs,
      holds: { inbox: false, receipts: false },
      isRevoked: false,
      connections: 0,
      slot,
      savedMs: seen.savedMs,
    }
    if (forgotten !== undefined) this.#byId.delete(forgotten.id)
    this.#byId.set(id, device)
    return { device, forgotten }
  }

  #place(): { slot: number; forgotten: OwnDevice | undefined } {
    const taken = new Set([...this.#byId.values()].map((device) => device.slot))
    for (let slot = 0; slot < LIMITS.devicesPerUserMax; slot += 1) {
      if (!taken.has(slot)) return { slot, forgotten: undefined }
    }
    const forgotten = deviceToForget(this.#byId.values())
    if (forgotten !== undefined) return { slot: forgotten.slot, forgotten }
    throw new RelayError(
      'DEVICES_FULL',
      `user ${this.user} has ${taken.size} devices that hold mail, are connected or are revoked: use one of them, or let an admin allow a revoked one again`,
    )
  }

  connect(device: OwnDevice): void {
    device.connections += 1
    this.#connections += 1
  }

  /** `false` where the device has no connection to end. */
  disconnect(device: OwnDevice): boolean {
    if (device.connections === 0) return false
    device.connections -= 1
    this.#connections -= 1
    return true
  }

  /** @throws DEVICES_FULL when as many other devices as allowed hold mail */
  hold(device: OwnDevice, box: Box): void {
    const holding = [...this.#byId.values()].filter((one) => isHolding(one) && one !== device)
    const max = LIMITS.devicesHoldingPerUserMax
    if (holding.length >= max) {
      throw new RelayError(
        'DEVICES_FULL',
        `user ${this.user} has ${max} devices that hold mail, device ${shown(device.id)} would be one more: revoke one of them`,
      )
    }
    this.#setHolds(device, { ...device.holds, [box]: true })
  }

  release(device: OwnDevice, boxes: readonly Box[]): void {
    const holds = { ...device.holds }
    for (const box of boxes) holds[box] = false
    this.#setHolds(device, holds)
  }

  #setHolds(device: OwnDevice, holds: Record<Box, boolean>): void {
    device.holds = holds
    this.#findHolders()
  }

  #findHolders(): void {
    const devices = [...this.#byId.values()]
    this.#holders.inbox = devices.filter((device) => device.holds.inbox)
    this.#holders.receipts = devices.filter((device) => device.holds.receipts)
  }
}
