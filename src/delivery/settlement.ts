/** How a message ends: its final record, the receipt, and the bytes that go. */
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Item } from '../mailbox/item.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import { type MessageRecord, type RecordEvent, recordKey } from '../mailbox/record.ts'
import type { Records } from '../mailbox/records.ts'
import type { UserId } from '../message/names.ts'
import type { Roster } from '../roster/roster.ts'
import type { Store } from '../store/store.ts'
import { type Acceptance, accepted } from './acceptance.ts'
import type { Counts } from './counts.ts'
import type { Receipts } from './receipts.ts'
import { stampNow } from './stamp.ts'

export type Outcome = { readonly status: 'delivered' | 'expired'; readonly reason?: string }

export class Settlement {
  readonly #store: Store
  readonly #journal: Journal
  readonly #mailboxes: Mailboxes
  readonly #records: Records
  readonly #roster: Pick<Roster, 'user'>
  readonly #counts: Counts
  readonly #receipts: Receipts
  readonly #clock: Clock
  readonly #keepsPayloads: boolean

  constructor(
    parts: {
      store: Store
      journal: Journal
      mailboxes: Mailboxes
      records: Records
      roster: Pick<Roster, 'user'>
      counts: Counts
      receipts: Receipts
      clock: Clock
    },
    options: { keepsPayloads: boolean },
  ) {
    this.#store = parts.store
    this.#journal = parts.journal
    this.#mailboxes = parts.mailboxes
    this.#records = parts.records
    this.#roster = parts.roster
    this.#counts = parts.counts
    this.#receipts = parts.receipts
    this.#clock = parts.clock
    this.#keepsPayloads = options.keepsPayloads
  }

  /** A message on disk has come to its end. */
  settle(mailbox: Mailbox, seq: number, item: Item, outcome: Outcome): void {
    const { key, record } = this.#conclude(mailbox, item, outcome)
    this.#clear(mailbox, seq, item, outcome)
    this.#records.put(key, record)
  }

  /**
   * A message has come to its end before its commit has. True when it could be withdrawn from
   * the commit, so that its bytes are never written.
   */
  settleEarly(acceptance: Acceptance, outcome: Outcome): boolean {
    const { mailbox, mail, offer, waiters } = acceptance
    const { key, record } = this.#conclude(mailbox, mail.item, outcome)
    if (offer === undefined || this.#keepsPayloads || !this.#store.withdraw(offer)) {
      acceptance.settled = record
      this.#clear(mailbox, mail.seq, mail.item, outcome)
      this.#records.put(key, record)
      return false
    }
    mailbox.remove(mail.seq, mail.item, false)
    this.#records.insert(key, record)
    this.#store.afterCommit(() => accepted(waiters))
    return true
  }

  #clear(mailbox: Mailbox, seq: number, item: Item, { status }: Outcome): void {
    mailbox.remove(seq, item, true)
    if (this.#keepsPayloads) return
    // What expires may do so because its entry was lost.
    if (status === 'expired') this.#journal.removeIfThere(seq)
    else this.#journal.remove(seq)
  }

  #conclude(
    mailbox: Mailbox,
    item: Item,
    outcome: Outcome,
  ): { key: string; record: MessageRecord } {
    const { from, id } = item
    const key = recordKey(from, mailbox.user, id)
    const record = this.#finalRecord(mailbox, key, item, outcome)
    this.#receipts.write({ id, from, to: mailbox.user, ...outcome })
    this.#counts.add(outcome.status)
    this.#mailboxes.countSent(from, -1)
    return { key, record }
  }

  #finalRecord(mailbox: Mailbox, key: string, item: Item, outcome: Outcome): MessageRecord {
    const at = stampNow(this.#clock)
    const { status, reason } = outcome
    const known = this.#records.get(key)
    const events: RecordEvent[] = [
      ...deliveries(this.#roster, mailbox.user, item),
      ...(known?.events ?? []),
    ]
    if (status === 'expired') {
      events.push({ what: status, at, ...(reason === undefined ? {} : { reason }) })
    }
    const isRead = status === 'delivered' && events.some(({ what }) => what === 'read')
    return {
      status: isRead ? 'read' : status,
      seq: known?.seq ?? 0,
      accepted: known?.accepted ?? at,
      bytes: item.bytes,
      deadlineMs: item.deadlineMs,
      // 0 would say that it waits.
      settledMs: Math.max(1, this.#journal.ageMs()),
      events,
    }
  }
}

/** The acknowledgements of an item as events; a device that is forgotten has no name any more. */
export function deliveries(roster: Pick<Roster, 'user'>, user: UserId, item: Item): RecordEvent[] {
  const devices = [...(roster.user(user)?.devices.values() ?? [])]
  return item.acks.map(({ device, at }) => {
    const id = devices.find(({ number }) => number === device)?.id
    return { what: 'delivered' as const, at, ...(id === undefined ? {} : { device: id }) }
  })
}
