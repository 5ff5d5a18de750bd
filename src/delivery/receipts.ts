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
import type { Roster } from '../roster/roster.ts'
import type { Store } from '../store/store.ts'
import { stampNow } from './stamp.ts'

/** A receipt that has been written but may still be taken back, until it is on disk. */
export type Written = { readonly receipt: Receipt; seq: number | undefined; isTakenBack: boolean }

/** A receipt as it comes to be: its time is now. */
type Fact = Omit<Receipt, 'at'>

export class Receipts {
  readonly #store: Store
  readonly #journal: Journal
  readonly #mailboxes: Mailboxes
  readonly #roster: Pick<Roster, 'user'>
  readonly #clock: Clock
  /** Of users whose earlier receipts are being made: what has happened meanwhile. */
  readonly #meanwhile = new Map<UserId, Written[]>()

  constructor(parts: {
    store: Store
    journal: Journal
    mailboxes: Mailboxes
    roster: Pick<Roster, 'user'>
    clock: Clock
  }) {
    this.#store = parts.store
    this.#journal = parts.journal
    this.#mailboxes = parts.mailboxes
    this.#roster = parts.roster
    this.#clock = parts.clock
  }

  /** Receipts that wait for a user. */
  waiting(user: UserId): number {
    return this.#mailboxes.known('receipts', user)?.messages ?? 0
  }

  /**
   * Writes a receipt of something that is true as of this commit. For a user who has never asked
   * for receipts none is kept, but for refusals: all others can be made later from the records
   * (see earlier-receipts.ts), so those who never ask cost nothing.
   * @returns what `takeBack` needs, where anything was written
   */
  write(fact: Fact): Written | undefined {
    const { from, status } = fact
    const isKept = this.#roster.user(from)?.wantsReceipts === true || status === 'refused'
    if (!isKept && !this.#isHeardOf(from)) return undefined
    const written: Written = { receipt: this.#stamped(fact), seq: undefined, isTakenBack: false }
    if (isKept) this.#keep(written)
    else this.#meanwhileOf(written)
    return written
  }

  /** Whether anybody hears of a receipt that is not kept. */
  #isHeardOf(from: UserId): boolean {
    return this.isMakingEarlier(from) || this.#listening(from) !== undefined
  }

  /** The box of a user with devices here that listen. */
  #listening(user: UserId): Mailbox | undefined {
    const mailbox = this.#mailboxes.known('receipts', user)
    return mailbox === undefined || mailbox.listeners.size === 0 ? undefined : mailbox
  }

  #keep(written: Written): void {
    const { receipt } = written
    const { from, id } = receipt
    const seq = this.#journal.nextSeq()
    const deadlineMs = this.#journal.ageMs() + LIMITS.expiresAfterSMax * 1000
    const item: Item = { bytes: 0, deadlineMs, from, id, acks: [], received: [], receipt }
    const box = this.#mailboxes.of('receipts', from).write(seq, item)
    this.#store.insert(box.key, box.value)
    written.seq = seq
    this.#store.afterCommit(() => {
      if (written.isTakenBack) return
      // An empty box may have been forgotten and made anew meanwhile.
      const mailbox = this.#mailboxes.of('receipts', from)
      mailbox.add({ seq, item, content: { kind: 'receipt', receipt } })
      mailbox.committed(seq)
    })
  }

  #meanwhileOf(written: Written): void {
    const { receipt } = written
    this.#meanwhile.get(receipt.from)?.push(written)
    // Copies for subscriptions with QoS 0, which keep nothing.
    const mailbox = this.#listening(receipt.from)
    if (mailbox === undefined) return
    this.#store.afterCommit(() => {
      if (!written.isTakenBack) mailbox.copy({ kind: 'receipt', receipt })
    })
  }

  /** Takes a receipt back whose fact did not come true. */
  takeBack(written: Written | undefined): void {
    if (written === undefined) return
    written.isTakenBack = true
    const { seq, receipt } = written
    if (seq !== undefined) this.#mailboxes.of('receipts', receipt.from).discard(seq)
  }

  /** Tells devices that are here now, without a promise; for when nothing can be written. */
  tell(fact: Fact): void {
    const receipt = this.#stamped(fact)
    this.#mailboxes.known('receipts', fact.from)?.tell({ kind: 'receipt', receipt })
  }

  /** From here on, what happens to messages of this user is noted for `finishEarlier`. */
  beginEarlier(user: UserId): void {
    this.#meanwhile.set(user, [])
  }

  /**
   * Writes the receipts of what happened before the user asked, and of what has happened since
   * `beginEarlier`; each once. To be called in the turn in which the user begins to want them.
   */
  finishEarlier(user: UserId, earlier: readonly Receipt[]): void {
    const meanwhile = this.#meanwhile.get(user) ?? []
    const known = new Set(earlier.map(nameOf))
    const since = meanwhile.filter((one) => !one.isTakenBack && !known.has(nameOf(one.receipt)))
    for (const receipt of earlier) this.#keep({ receipt, seq: undefined, isTakenBack: false })
    for (const written of since) this.#keep(written)
  }

  /** Nothing is noted any more. */
  endEarlier(user: UserId): void {
    this.#meanwhile.delete(user)
  }

  isMakingEarlier(user: UserId): boolean {
    return this.#meanwhile.has(user)
  }

  #stamped(fact: Fact): Receipt {
    return { ...fact, at: stampNow(this.#clock) }
  }
}

/** No message has two receipts of one name. */
function nameOf({ to, id, status, device }: Receipt): string {
  return `${to}/${id}/${status}/${device ?? ''}`
}
