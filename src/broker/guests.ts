/**
 * Devices for which nothing is kept any more. One that unsubscribes from a box of its user; and a
 * client that came without a name, so that the relay chose one: unless it keeps a session, and
 * with it the name, nobody will ever come back under it.
 */
import type { Filter } from '../delivery/port.ts'
import type { PostOffice } from '../delivery/post-office.ts'
import { boxesReached } from '../delivery/session.ts'
import type { Log } from '../log.ts'
import type { BoxName } from '../mailbox/mailbox.ts'
import type { DeviceId, UserId } from '../message/names.ts'
import type { Roster } from '../roster/roster.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'

/** How the names begin that aedes chooses. */
const CHOSEN = 'aedes_'

export class Guests {
  readonly #roster: Pick<Roster, 'users' | 'user' | 'release'>
  readonly #post: Pick<PostOffice, 'devicesLeft'>
  readonly #topics: Pick<OrdinaryTopics, 'has'>
  readonly #log: Log

  constructor(parts: {
    roster: Pick<Roster, 'users' | 'user' | 'release'>
    post: Pick<PostOffice, 'devicesLeft'>
    topics: Pick<OrdinaryTopics, 'has'>
    log: Log
  }) {
    this.#roster = parts.roster
    this.#post = parts.post
    this.#topics = parts.topics
    this.#log = parts.log
  }

  /** A client without a name of its own has gone. */
  left(user: UserId, device: DeviceId): void {
    this.#release(user, device, ['inbox', 'receipts'])
  }

  /**
   * A device has taken filters back.
   * @param left the filters that it still has
   */
  unsubscribed(
    user: UserId,
    device: DeviceId,
    { gone, left }: { gone: readonly string[]; left: readonly Filter[] },
  ): void {
    const lost = boxesReached(
      user,
      gone.map((filter) => ({ filter, qos: 1 })),
    )
    const kept = boxesReached(
      user,
      left.filter(({ qos }) => qos > 0),
    )
    this.#release(
      user,
      device,
      lost.filter((box) => !kept.includes(box)),
    )
  }

  #release(user: UserId, device: DeviceId, boxes: readonly BoxName[]): void {
    // It may have gone because its user was removed.
    const holds = this.#roster.user(user)?.devices.get(device)?.holds
    if (holds === undefined || !boxes.some((box) => holds[box])) return
    this.#roster.release(user, device, boxes)
    this.#post.devicesLeft(user).catch((error: unknown) => {
      this.#log.error({ user, error }, 'mail of a device that left could not be settled')
    })
  }

  /** Those that were here when an earlier run was killed. */
  forget(): void {
    for (const { id: user, devices } of this.#roster.users()) {
      for (const { id, holds } of devices.values()) {
        if (!id.startsWith(CHOSEN) || !(holds.inbox || holds.receipts)) continue
        if (!this.#topics.has(`${user}/${id}`)) this.left(user, id)
      }
    }
  }
}
