/**
 * The devices of all users: registered at their first connection, counted while connected, and
 * written as state no more often than needed, for the sake of SD cards.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Stamp } from '../message/message.ts'
import { type DeviceId, shown, type UserId } from '../message/names.ts'
import { type Box, type Device, isHolding, type OwnDevice } from './device.ts'
import { deviceKey, deviceRecord, KIND, parseDeviceKey, type StateLog } from './records.ts'
import { UserDevices } from './user-devices.ts'

/** A device together with whose it is. */
export type DeviceOf = { readonly user: UserId; readonly device: Device }

export class Devices {
  readonly #state: StateLog
  readonly #clock: Clock
  readonly #onPresence: (user: UserId) => void
  readonly #users = new Map<UserId, UserDevices>()
  /** Devices that are connected, or were seen since they were last written. */
  readonly #fresh = new Map<OwnDevice, UserDevices>()
  #cancel: (() => void) | undefined

  /** @param parts.onPresence called when what a user's presence says has changed */
  constructor(parts: { state: StateLog; clock: Clock; onPresence: (user: UserId) => void }) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#onPresence = parts.onPresence
  }

  /**
   * Takes a stored record back; `false` for one that is none.
   * @throws BAD_NAME
   */
  restore(key: string, value: unknown): boolean {
    const record = deviceRecord(value)
    const place = parseDeviceKey(key)
    if (record === undefined || place === undefined) return false
    return this.#of(place.user).restore(record, place.slot)
  }

  /** Begins to write last-seen times now and then. */
  start(): void {
    this.#cancel ??= this.#clock.after(LIMITS.lastSeenSavedMsMin, () => {
      this.#cancel = undefined
      this.#saveSeen(LIMITS.lastSeenSavedMsMax)
      this.start()
    })
  }

  /** Writes the last-seen times that are not written yet. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#saveSeen(0)
  }

  #saveSeen(connectedMsMax: number): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [device, own] of this.#fresh) {
      if (device.connections > 0) {
        if (nowMs - device.savedMs < connectedMsMax) continue
        this.#see(device)
      }
      this.#save(own, device)
    }
  }

  /** Lets a user have devices. */
  open(user: UserId): UserDevices {
    const own = this.#of(user)
    own.isOpen = true
    return own
  }

  /** Removes all devices of a user, whether or not there is such a user. */
  close(user: UserId): void {
    const own = this.#users.get(user)
    if (own === undefined) return
    this.#users.delete(user)
    for (const device of own.byId.values()) {
      this.#fresh.delete(device)
      this.#state.removeState(KIND.device, deviceKey(user, device.slot))
    }
  }

  /** Users that have devices but were never opened: what a damaged store can leave. */
  strays(): UserId[] {
    return [...this.#users.values()].filter((own) => !own.isOpen).map((own) => own.user)
  }

  /**
   * A device has connected; the first time, it is registered.
   * @throws NOT_FOUND for a user that is not there (any more)
   * @throws DEVICE_REVOKED
   * @throws DEVICES_FULL when none of the remembered devices can be forgotten for a new one
   */
  connected(user: UserId, id: DeviceId): Device {
    const own = this.#users.get(user)
    if (own?.isOpen !== true) throw new RelayError('NOT_FOUND', `there is no user ${user}`)
    const device = own.get(id) ?? this.#register(own, id)
    if (device.isRevoked) {
      throw new RelayError(
        'DEVICE_REVOKED',
        `device ${shown(id)} of user ${user} is revoked: an admin can allow it again`,
      )
    }
    const wasOnline = own.isOnline
    own.connect(device)
    this.#see(device)
    this.#fresh.set(device, own)
    if (!wasOnline) this.#onPresence(user)
    return device
  }

  #register(own: UserDevices, id: DeviceId): OwnDevice {
    const savedMs = this.#clock.monotonicMs()
    const seen = { at: this.#now(), ageMs: this.#state.ageMs(), savedMs }
    const { device, forgotten } = own.add(id, seen)
    if (forgotten !== undefined) this.#fresh.delete(forgotten)
    this.#save(own, device)
    return device
  }

  /** A connection of a device has ended. Unknown users and devices are ignored: they may be gone. */
  disconnected(user: UserId, id: DeviceId): void {
    const own = this.#users.get(user)
    const device = own?.get(id)
    if (own === undefined || device === undefined || !own.disconnect(device)) return
    this.#see(device)
    const savedForMs = this.#clock.monotonicMs() - device.savedMs
    if (device.connections === 0 && savedForMs >= LIMITS.lastSeenSavedMsMin) this.#save(own, device)
    if (!own.isOnline) this.#onPresence(user)
  }

  /**
   * From now on this box is kept for the device.
   * @returns whether that is new
   * @throws NOT_FOUND
   * @throws DEVICE_REVOKED
   * @throws DEVICES_FULL when as many other devices of the user as allowed hold mail
   */
  hold(user: UserId, id: DeviceId, box: Box): boolean {
    const [own, device] = this.#find(user, id)
    if (device.holds[box]) return false
    if (device.isRevoked) {
      throw new RelayError('DEVICE_REVOKED', `device ${shown(id)} of user ${user} is revoked`)
    }
    own.hold(device, box)
    this.#save(own, device)
    return true
  }

  /**
   * The boxes are no longer kept for the device: it unsubscribed, or was idle for too long.
   * @throws NOT_FOUND
   */
  release(user: UserId, id: DeviceId, boxes: readonly Box[]): void {
    const [own, device] = this.#find(user, id)
    if (!boxes.some((box) => device.holds[box])) return
    own.release(device, boxes)
    this.#save(own, device)
  }

  /** The devices for which a box of a user is kept; the same array until that changes. */
  holders(user: UserId, box: Box): readonly Device[] {
    return this.#users.get(user)?.holders(box) ?? NONE
  }

  /**
   * Refuses the device from now on and keeps nothing for it. Its connections are the caller's
   * to end.
   * @throws NOT_FOUND
   */
  revoke(user: UserId, id: DeviceId): void {
    const [own, device] = this.#find(user, id)
    if (device.isRevoked) return
    device.isRevoked = true
    own.release(device, ['inbox', 'receipts'])
    this.#save(own, device)
  }

  /**
   * Takes a revocation back.
   * @throws NOT_FOUND
   */
  allow(user: UserId, id: DeviceId): void {
    const [own, device] = this.#find(user, id)
    if (!device.isRevoked) return
    device.isRevoked = false
    this.#save(own, device)
  }

  /** Devices that hold mail, are not connected, and were last seen before this `ageMs`. */
  *idleSince(deadlineAgeMs: number): Generator<DeviceOf> {
    for (const own of this.#users.values()) {
      for (const device of own.byId.values()) {
        if (device.connections > 0 || device.seenAgeMs >= deadlineAgeMs) continue
        if (isHolding(device)) yield { user: own.user, device }
      }
    }
  }

  #find(user: UserId, id: DeviceId): [UserDevices, OwnDevice] {
    const own = this.#users.get(user)
    const device = own?.get(id)
    if (own !== undefined && device !== undefined) return [own, device]
    throw new RelayError('NOT_FOUND', `user ${user} has no device ${shown(id)}`)
  }

  #of(user: UserId): UserDevices {
    let own = this.#users.get(user)
    if (own === undefined) {
      own = new UserDevices({ user })
      this.#users.set(user, own)
    }
    return own
  }

  #now(): Stamp {
    return { atMs: this.#clock.wallMs(), clock: this.#clock.quality() }
  }

  #see(device: OwnDevice): void {
    device.lastSeen = this.#now()
    device.seenAgeMs = this.#state.ageMs()
  }

  #save(own: UserDevices, device: OwnDevice): void {
    const { slot, savedMs: _, connections: __, ...record } = device
    device.savedMs = this.#clock.monotonicMs()
    if (device.connections === 0) this.#fresh.delete(device)
    this.#state.put(KIND.device, deviceKey(own.user, slot), record)
  }
}

const NONE: readonly Device[] = []
