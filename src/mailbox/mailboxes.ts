/** All boxes of all users, and the sums over them that quotas and `status` need. */
import type { UserId } from '../message/names.ts'
import { lastNumber } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { decodeItem } from './item.ts'
import { type BoxName, Mailbox } from './mailbox.ts'

export class Mailboxes {
  readonly #store: Store
  readonly #boxes = { inbox: new Map<UserId, Mailbox>(), receipts: new Map<UserId, Mailbox>() }
  readonly #bySender = new Map<UserId, number>()
  #queued = 0

  constructor(parts: { store: Store }) {
    this.#store = parts.store
  }

  /** Called for each stored pair of the table `box` while the store starts. */
  visit(key: string, value: Uint8Array): void {
    const [, box, user] = key.split('/')
    const item = decodeItem(value)
    this.of(box as BoxName, user as UserId).restore(lastNumber(key), item)
    if (box === 'inbox') this.countSent(item.from, 1)
  }

  /** Messages that wait in any inbox. */
  get queued(): number {
    return this.#queued
  }

  /** Bytes of their payloads. */
  get bytes(): number {
    let bytes = 0
    for (const mailbox of this.#boxes.inbox.values()) bytes += mailbox.bytes
    return bytes
  }

  /** The box of a user, where it holds or serves anything. */
  known(box: BoxName, user: UserId): Mailbox | undefined {
    return this.#boxes[box].get(user)
  }

  /** The box of a user; made when there is none. */
  of(box: BoxName, user: UserId): Mailbox {
    const boxes = this.#boxes[box]
    let mailbox = boxes.get(user)
    if (mailbox === undefined) {
      mailbox = new Mailbox({ store: this.#store }, { box, user })
      boxes.set(user, mailbox)
    }
    return mailbox
  }

  /** All boxes that hold or serve anything. */
  *all(): Generator<Mailbox> {
    yield* this.#boxes.inbox.values()
    yield* this.#boxes.receipts.values()
  }

  /** Undelivered messages of one sender. */
  sentBy(from: UserId): number {
    return this.#bySender.get(from) ?? 0
  }

  /** A message of this sender was queued (1) or has settled (-1). */
  countSent(from: UserId, change: 1 | -1): void {
    this.#queued += change
    const waiting = this.sentBy(from) + change
    if (waiting === 0) this.#bySender.delete(from)
    else this.#bySender.set(from, waiting)
  }

  /** Forgets a box that holds and serves nothing, so that memory follows the users at work. */
  tidy(mailbox: Mailbox): void {
    if (mailbox.isIdle) this.#boxes[mailbox.box].delete(mailbox.user)
  }
}
