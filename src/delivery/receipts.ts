/**
 * Receipts, in the sender's own box. They are written in the same commit as the fact that
 * they tell, and go out when that commit is on disk; so no receipt is ever ahead of its fact.
 */
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { LIMITS } from '../limits.ts'
import type { Item } from '../mailbox/item.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { Receipt } from '../message/message.ts'
import type { UserId } from '../message/names.ts'
import type { Store } from '../store/store.ts'
import { stampNow } from './stamp.ts'

/** A receipt that has been written but may still be taken back, until it is on disk. */
export type Written = { readonly seq: number; readonly mailbox: Mailbox; isTakenBack: boolean }

export class Receipts {
  readonly #store: Store
  readonly #journal: Journal
  readonly #mailboxes: Mailboxes
  readonly #clock: Clock

  constructor(parts: { store: Store; journal: Journal; mailboxes: Mailboxes; clock: Clock }) {
    this.#store = parts.store
    this.#journal = parts.journal
    this.#mailboxes = parts.mailboxes
    this.#clock = parts.clock
  }

  /** Receipts that wait for a user. */
  waiting(user: UserId): number {
    return this.#mailboxes.of('receipts', user).messages
  }

  /** Writes a receipt of something that is true as of this commit. */
  write(fact: Omit<Receipt, 'at'>): Written {
    const mailbox = this.#mailboxes.of('receipts', fact.from)
    const receipt = { ...fact, at: stampNow(this.#clock) }
    const seq = this.#journal.nextSeq()
    const item: Item = {
      bytes: 0,
      deadlineMs: this.#journal.ageMs() + LIMITS.expiresAfterSMax * 1000,
      from: fact.from,
      id: fact.id,
      acks: [],
      received: [],
      receipt,
    }
    const box = mailbox.write(seq, item)
    this.#store.insert(box.key, box.value)
    const written: Written = { seq, mailbox, isTakenBack: false }
    this.#store.afterCommit(() => {
      if (written.isTakenBack) return
      // An empty box may have been forgotten and made anew meanwhile.
      const current = this.#mailboxes.of('receipts', fact.from)
      current.add({ seq, item, content: { kind: 'receipt', receipt } })
      current.committed(seq)
    })
    return written
  }

  /** Takes a receipt back whose fact did not come true. */
  takeBack(written: Written): void {
    written.isTakenBack = true
    written.mailbox.discard(written.seq)
  }

  /** Tells devices that are here now, without a promise; for when nothing can be written. */
  tell(fact: Omit<Receipt, 'at'>): void {
    const receipt = { ...fact, at: stampNow(this.#clock) }
    this.#mailboxes.of('receipts', fact.from).tell({ kind: 'receipt', receipt })
  }
}
