/**
 * Users, things and devices: who there is, with which credential, and what others may see of
 * a user. Kept in memory, written as state. How somebody signs in is sign-in.ts.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { type DeviceId, type ThingId, thingId, type UserId, userId } from '../message/names.ts'
import type { Box, Device } from './device.ts'
import { type DeviceOf, Devices } from './devices.ts'
import { type Account, ANONYMOUS } from './identity.ts'
import type { Passwords } from './passwords.ts'
import { Person, type User } from './person.ts'
import { maySeePresence, type Privacy, presencePayload } from './presence.ts'
import {
  KIND,
  type StateLog,
  type ThingRecord,
  thingRecord,
  type UserRecord,
  userRecord,
} from './records.ts'

export type Thing = { readonly id: ThingId; readonly createdAtMs: number }

/** What `user add` and `thing add` print. */
export type NewAccount<Id> = { readonly id: Id; readonly password: string }

export class Roster {
  readonly #state: StateLog
  readonly #clock: Clock
  readonly #passwords: Passwords
  readonly #onPresence: (user: UserId) => void
  readonly #devices: Devices
  readonly #users = new Map<UserId, Person>()
  readonly #things = new Map<ThingId, ThingRecord>()

  /**
   * @param parts.onPresence called when a user comes or goes, is added or removed, or lets others
   *   see its presence: `presence` gives what is to be retained now
   */
  constructor(parts: {
    state: StateLog
    clock: Clock
    passwords: Passwords
    onPresence: (user: UserId) => void
  }) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#passwords = parts.passwords
    this.#onPresence = parts.onPresence
    this.#devices = new Devices(parts)
  }

  /**
   * Takes a stored state record back, in any order, before `start`. Records of other folders are
   * left alone.
   * @returns `false` for a record of the roster that cannot be used; the caller reports it
   */
  restore(kind: string, key: string, value: unknown): boolean {
    try {
      switch (kind) {
        case KIND.user:
          return this.#restoreUser(userId(key), userRecord(value))
        case KIND.thing:
          return this.#restoreThing(thingId(key), thingRecord(value))
        case KIND.device:
          return this.#devices.restore(key, value)
        default:
          return true
      }
    } catch (error) {
      if (error instanceof RelayError) return false
      throw error
    }
  }

  #restoreUser(id: UserId, record: UserRecord | undefined): boolean {
    if (record !== undefined) {
      this.#users.set(id, new Person({ record, devices: this.#devices.open(id) }))
    }
    return record !== undefined
  }

  #restoreThing(id: ThingId, record: ThingRecord | undefined): boolean {
    if (record !== undefined) this.#things.set(id, record)
    return record !== undefined
  }

  /**
   * To be called once everything stored is restored.
   * @returns users that are not there and whose devices were; the devices are removed
   */
  start(): UserId[] {
    const strays = this.#devices.strays()
    for (const user of strays) this.#devices.close(user)
    this.#devices.start()
    return strays
  }

  /** Writes what is not written yet. */
  stop(): void {
    this.#devices.stop()
  }

  /** All users, in the order they were added or restored. */
  users(): User[] {
    return [...this.#users.values()]
  }

  /** Cheap enough for each message. */
  user(id: UserId): User | undefined {
    return this.#users.get(id)
  }

  /**
   * @param options.password generated where absent
   * @throws EXISTS
   * @throws ROSTER_FULL
   * @throws BAD_NAME for `anonymous`, which names nobody in access rules
   * @throws BAD_REQUEST for a password that is empty or too long
   */
  async addUser(
    id: UserId,
    options: { password?: string; isAdmin: boolean },
  ): Promise<NewAccount<UserId>> {
    if (id === ANONYMOUS) {
      throw new RelayError('BAD_NAME', `user ${id}: access rules mean nobody by it, take another`)
    }
    const isNew = () => mustBeNew(this.#users, id, { kind: 'user', max: LIMITS.usersMax })
    isNew()
    const { password, credential } = await this.#passwords.make(options.password)
    // Another request may have added it, or filled the roster, while the hash was computed.
    isNew()
    const { isAdmin } = options
    const createdAtMs = this.#clock.wallMs()
    const record: UserRecord = { isAdmin, createdAtMs, credential, presence: 'everyone' }
    this.#write(new Person({ record, devices: this.#devices.open(id) }), record)
    this.#onPresence(id)
    return { id, password }
  }

  /**
   * Removes a user and its devices. Its connections and mailbox are the caller's to end, before
   * a user of that name can be added again: device numbers begin anew.
   * @throws NOT_FOUND
   */
  removeUser(id: UserId): void {
    this.#person(id)
    this.#users.delete(id)
    this.#devices.close(id)
    this.#state.removeState(KIND.user, id)
    this.#onPresence(id)
  }

  /**
   * Sets a password, or a generated one. Connections that were signed in with the old one are
   * the caller's to end.
   * @throws NOT_FOUND
   * @throws BAD_REQUEST for a password that is empty or too long
   */
  async setPassword(id: UserId, chosen?: string): Promise<NewAccount<UserId>> {
    this.#person(id)
    const { password, credential } = await this.#passwords.make(chosen)
    const person = this.#person(id)
    this.#write(person, { ...person.record, credential })
    return { id, password }
  }

  /**
   * @param value who may see the user's presence from now on
   * @throws NOT_FOUND
   */
  setPresencePrivacy(id: UserId, value: Privacy): void {
    const person = this.#person(id)
    if (person.presence === value) return
    this.#write(person, { ...person.record, presence: value })
    this.#onPresence(id)
  }

  /**
   * From now on receipts are kept for a user.
   * @throws NOT_FOUND
   */
  setWantsReceipts(id: UserId): void {
    const person = this.#person(id)
    if (!person.wantsReceipts) this.#write(person, { ...person.record, wantsReceipts: true })
  }

  /** What is retained as `users/{id}/presence`; `undefined` when there is no such user. */
  presence(id: UserId): string | undefined {
    const person = this.#users.get(id)
    return person === undefined ? undefined : presencePayload(person.isOnline, person.lastSeen)
  }

  /** Whether a user may see another's presence. */
  maySeePresence(owner: UserId, viewer: { user: UserId; isAdmin: boolean }): boolean {
    const person = this.#users.get(owner)
    return person !== undefined && maySeePresence(person, viewer, NO_CONTACTS)
  }

  /** All things, in the order they were added or restored. */
  things(): Thing[] {
    return [...this.#things].map(([id, { createdAtMs }]) => ({ id, createdAtMs }))
  }

  thing(id: ThingId): Thing | undefined {
    const record = this.#things.get(id)
    return record === undefined ? undefined : { id, createdAtMs: record.createdAtMs }
  }

  /**
   * @param chosen generated where absent
   * @throws EXISTS
   * @throws ROSTER_FULL
   * @throws BAD_REQUEST for a password that is empty or too long
   */
  async addThing(id: ThingId, chosen?: string): Promise<NewAccount<ThingId>> {
    const isNew = () => mustBeNew(this.#things, id, { kind: 'thing', max: LIMITS.thingsMax })
    isNew()
    const { password, credential } = await this.#passwords.make(chosen)
    isNew()
    this.#writeThing(id, { createdAtMs: this.#clock.wallMs(), credential })
    return { id, password }
  }

  /**
   * Removes a thing; its connections are the caller's to end.
   * @throws NOT_FOUND
   */
  removeThing(id: ThingId): void {
    if (!this.#things.delete(id)) throw new RelayError('NOT_FOUND', `there is no thing ${id}`)
    this.#state.removeState(KIND.thing, id)
  }

  /** The stored PHC string of an account; for sign-in only. */
  credential(account: Account): string | undefined {
    return account.kind === 'user'
      ? this.#users.get(account.user)?.record.credential
      : this.#things.get(account.thing)?.credential
  }

  /** Stores the hash of the same password at another cost, unless it has changed meanwhile. */
  renewCredential(account: Account, older: string, credential: string): void {
    if (this.credential(account) !== older) return
    if (account.kind === 'user') {
      const person = this.#person(account.user)
      this.#write(person, { ...person.record, credential })
    } else {
      const { createdAtMs } = this.#things.get(account.thing) ?? { createdAtMs: 0 }
      this.#writeThing(account.thing, { createdAtMs, credential })
    }
  }

  /** See `Devices.connected`. */
  connected(user: UserId, device: DeviceId): Device {
    return this.#devices.connected(user, device)
  }

  /** See `Devices.disconnected`. */
  disconnected(user: UserId, device: DeviceId): void {
    this.#devices.disconnected(user, device)
  }

  /** See `Devices.hold`. */
  hold(user: UserId, device: DeviceId, box: Box): boolean {
    return this.#devices.hold(user, device, box)
  }

  /** See `Devices.release`. */
  release(user: UserId, device: DeviceId, boxes: readonly Box[]): void {
    this.#devices.release(user, device, boxes)
  }

  /** See `Devices.holders`. */
  holders(user: UserId, box: Box): readonly Device[] {
    return this.#devices.holders(user, box)
  }

  /** See `Devices.revoke`. */
  revoke(user: UserId, device: DeviceId): void {
    this.#devices.revoke(user, device)
  }

  /** See `Devices.allow`. */
  allow(user: UserId, device: DeviceId): void {
    this.#devices.allow(user, device)
  }

  /** See `Devices.idleSince`. */
  idleSince(deadlineAgeMs: number): Generator<DeviceOf> {
    return this.#devices.idleSince(deadlineAgeMs)
  }

  #person(id: UserId): Person {
    const person = this.#users.get(id)
    if (person !== undefined) return person
    throw new RelayError('NOT_FOUND', `there is no user ${id}: \`waypost user list\` shows them`)
  }

  #write(person: Person, record: UserRecord): void {
    person.record = record
    this.#users.set(person.id, person)
    this.#state.put(KIND.user, person.id, record)
  }

  #writeThing(id: ThingId, record: ThingRecord): void {
    this.#things.set(id, record)
    this.#state.put(KIND.thing, id, record)
  }
}

/** Contacts come with a later version; until then nobody has any. */
const NO_CONTACTS: ReadonlySet<UserId> = new Set()

function mustBeNew<Id extends string>(
  present: ReadonlyMap<Id, unknown>,
  id: Id,
  { kind, max }: { kind: string; max: number },
): void {
  if (present.has(id)) throw new RelayError('EXISTS', `there is a ${kind} ${id} already`)
  if (present.size < max) return
  throw new RelayError('ROSTER_FULL', `there are ${max} ${kind}s, the most allowed: remove one`)
}
