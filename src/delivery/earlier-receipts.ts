/**
 * Receipts of what happened before their user asked for any, made from the records of messages.
 * A user without a device that takes receipts has none kept, and loses none by that.
 */
import { LIMITS } from '../limits.ts'
import { decodeItem } from '../mailbox/item.ts'
import type { MessageKey, MessageRecord } from '../mailbox/record.ts'
import type { Records } from '../mailbox/records.ts'
import type { Receipt } from '../message/message.ts'
import type { UserId } from '../message/names.ts'
import type { Roster } from '../roster/roster.ts'
import { sortable } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { deliveries } from './settlement.ts'

type Parts = {
  readonly store: Store
  readonly records: Pick<Records, 'all'>
  readonly roster: Pick<Roster, 'user'>
}

type Found = { readonly seq: number; readonly receipts: Receipt[] }

/**
 * The receipts of the newest messages of a user, at most `LIMITS.earlierMessagesMax`, in the order
 * in which these were accepted.
 */
export async function earlierReceipts(parts: Parts, user: UserId): Promise<Receipt[]> {
  // What was written before this moment can be read afterwards.
  await parts.store.committed()
  let found: Found[] = []
  for await (const { key, record } of parts.records.all(`record/${user}/`)) {
    found.push({ seq: record.seq, receipts: receiptsOf(parts, key, record) })
    if (found.length >= 2 * LIMITS.earlierMessagesMax) found = newest(found)
  }
  return newest(found).flatMap(({ receipts }) => receipts)
}

function newest(found: readonly Found[]): Found[] {
  return found.toSorted((a, b) => a.seq - b.seq).slice(-LIMITS.earlierMessagesMax)
}

/** Everything that the sender would have been told of one message. */
function receiptsOf(parts: Parts, key: MessageKey, record: MessageRecord): Receipt[] {
  const { status, accepted } = record
  const receipts: Receipt[] = [{ ...key, status: 'stored', at: accepted }]
  const events = [...acknowledgements(parts, key, record), ...record.events]
  const delivered = events.filter(({ what }) => what === 'delivered')
  for (const { at, device } of delivered) {
    if (device !== undefined) receipts.push({ ...key, status: 'delivered', at, device })
  }
  if (status === 'delivered' || status === 'read') {
    receipts.push({ ...key, status: 'delivered', at: delivered.at(-1)?.at ?? accepted })
  }
  for (const { what, at, reason } of events) {
    if (what === 'delivered') continue
    receipts.push({ ...key, status: what, at, ...(reason === undefined ? {} : { reason }) })
  }
  return receipts
}

/** While a message waits, who has acknowledged it stands in its box. */
function acknowledgements({ store, roster }: Parts, { to }: MessageKey, record: MessageRecord) {
  if (record.settledMs !== 0) return []
  const value = store.get(`box/inbox/${to}/${sortable(record.seq)}`)
  return value === undefined ? [] : deliveries(roster, to, decodeItem(value))
}
