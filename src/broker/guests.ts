/**
 * Clients that came without a name, so that the relay chose one. Unless they keep a session, and
 * with it the name, nobody will ever come back under it: nothing is kept for them when they go.
 */
import type { PostOffice } from '../delivery/post-office.ts'
import type { Log } from '../log.ts'
import type { DeviceId, UserId } from '../message/names.ts'
import type { Roster } from '../roster/roster.ts'
import type { Persistence } from './persistence/persistence.ts'

/** How the names begin that aedes chooses. */
const CHOSEN = 'aedes_'

export class Guests {
  readonly #roster: Pick<Roster, 'users' | 'user' | 'release'>
  readonly #post: Pick<PostOffice, 'devicesLeft'>
  readonly #sessions: Pick<Persistence, 'subscriptionsByClient'>
  readonly #log: Log

  constructor(parts: {
    roster: Pick<Roster, 'users' | 'user' | 'release'>
    post: Pick<PostOffice, 'devicesLeft'>
    persistence: Pick<Persistence, 'subscriptionsByClient'>
    log: Log
  }) {
    this.#roster = parts.roster
    this.#post = parts.post
    this.#sessions = parts.persistence
    this.#log = parts.log
  }

  /** A guest has gone. */
  left(user: UserId, device: DeviceId): void {
    // It may have gone because its user was removed.
    if (this.#roster.user(user)?.devices.has(device) !== true) return
    this.#roster.release(user, device, ['inbox', 'receipts'])
    this.#post.devicesLeft(user).catch((error: unknown) => {
      this.#log.error({ user, error }, 'mail of a device that left could not be settled')
    })
  }

  /** Those that were here when an earlier run was killed. */
  async forget(): Promise<void> {
    for (const { id: user, devices } of this.#roster.users()) {
      for (const { id, holds } of devices.values()) {
        if (!id.startsWith(CHOSEN) || !(holds.inbox || holds.receipts)) continue
        const session = await this.#sessions.subscriptionsByClient({ id: `${user}/${id}` })
        if (session.length === 0) this.left(user, id)
      }
    }
  }
}
