/**
 * After damage: the boxes and records are made to agree with the journal again. Entries that lost
 * their place in a box get it back; what lost its entry is gone, and its sender is told. Runs only
 * when the store has reported damage, before anybody is served.
 */
import type { Journal } from '../journal/journal.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Item } from '../mailbox/item.ts'
import type { BoxName } from '../mailbox/mailbox.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import { decodeRecord, encodeRecord, parseRecordKey, recordKey } from '../mailbox/record.ts'
import type { Entry } from '../message/entry.ts'
import { allPairs } from '../store/pairs.ts'
import type { Store } from '../store/store.ts'
import type { PostOffice } from './post-office.ts'

/** What had to be done. */
export type Mended = {
  /** Entries that were put back into a box. */
  readonly restored: number
  /** Messages whose bytes are gone; their senders got a receipt `expired`. */
  readonly lost: number
  /** Entries of messages that had been delivered, which had come back. */
  readonly dropped: number
}

export type MendParts = {
  readonly store: Store
  readonly journal: Journal
  readonly mailboxes: Mailboxes
  readonly post: Pick<PostOffice, 'expire'>
  readonly log: Log
}

const REASON = 'the store was damaged and the message is lost'

/** @param options.keepsPayloads whether entries of delivered messages are there on purpose */
export async function mend(parts: MendParts, options: { keepsPayloads: boolean }): Promise<Mended> {
  const entries = await mendEntries(parts, options)
  const lostItems = await mendBoxes(parts)
  const lostRecords = await mendRecords(parts)
  await forgetCursors(parts.store)
  await parts.store.committed()
  const mended = { ...entries, lost: lostItems + lostRecords }
  parts.log.warn(mended, 'mailboxes were made to agree with the journal')
  return mended
}

/** Gives every entry of the journal its place in a box. */
async function mendEntries(
  parts: MendParts,
  { keepsPayloads }: { keepsPayloads: boolean },
): Promise<{ restored: number; dropped: number }> {
  let restored = 0
  let dropped = 0
  for await (const { seq, entry } of allEntries(parts.journal)) {
    const place = placeOf(entry)
    if (place === undefined || parts.mailboxes.of(place.box, place.user).has(seq)) continue
    if (entry.kind === 'message' && isSettled(parts.store, place.item, place.user)) {
      if (keepsPayloads) continue
      parts.journal.remove(seq)
      dropped += 1
    } else {
      putBack(parts, seq, entry, place)
      restored += 1
    }
  }
  return { restored, dropped }
}

type Place = { readonly box: BoxName; readonly user: Item['from']; readonly item: Item }

function placeOf(entry: Entry): Place | undefined {
  if (entry.kind === 'state') return undefined
  const isMessage = entry.kind === 'message'
  const { from, to, id } = isMessage ? entry.message : entry.receipt
  const item: Item = {
    bytes: isMessage ? entry.message.payload.length : 0,
    // How long it has waited is not known any more; it may wait once more as long.
    deadlineMs: (isMessage ? entry.message.expiresAfterS : LIMITS.expiresAfterSMax) * 1000,
    from,
    id,
    acks: [],
    received: [],
  }
  return { box: isMessage ? 'inbox' : 'receipts', user: isMessage ? to : from, item }
}

function isSettled(store: Store, { from, id }: Item, to: Item['from']): boolean {
  const record = store.get(recordKey(from, to, id))
  return record !== undefined && decodeRecord(record).settledMs !== 0
}

function putBack(parts: MendParts, seq: number, entry: Entry, place: Place): void {
  const { store, journal, mailboxes } = parts
  const mailbox = mailboxes.of(place.box, place.user)
  const item = { ...place.item, deadlineMs: place.item.deadlineMs + journal.ageMs() }
  const write = mailbox.write(seq, item)
  store.insert(write.key, write.value)
  mailbox.restore(seq, item)
  if (entry.kind !== 'message') return
  mailboxes.countSent(item.from, 1)
  const record = encodeRecord({
    status: 'stored',
    seq,
    accepted: entry.message.accepted,
    bytes: item.bytes,
    deadlineMs: item.deadlineMs,
    settledMs: 0,
    events: [],
  })
  store.put(recordKey(item.from, place.user, item.id), record)
}

/** Ends what is in a box without an entry. */
async function mendBoxes({ mailboxes, journal, post }: MendParts): Promise<number> {
  let lost = 0
  for (const mailbox of [...mailboxes.all()]) {
    for await (const { seq, item } of mailbox.items()) {
      if (journal.has(seq)) continue
      post.expire(mailbox, seq, item, REASON)
      if (mailbox.box === 'inbox') lost += 1
    }
  }
  return lost
}

/** Ends what is recorded as waiting and is in no box. */
async function mendRecords(parts: MendParts): Promise<number> {
  const { store, mailboxes, post } = parts
  let lost = 0
  for await (const [key, value] of allPairs(store, 'record/')) {
    const record = decodeRecord(value)
    const { from, to, id } = parseRecordKey(key)
    const mailbox = mailboxes.of('inbox', to)
    if (record.settledMs !== 0 || mailbox.has(record.seq)) continue
    const { bytes, deadlineMs, seq } = record
    const item: Item = { bytes, deadlineMs, from, id, acks: [], received: [] }
    const write = mailbox.write(seq, item)
    store.insert(write.key, write.value)
    mailbox.restore(seq, item)
    mailboxes.countSent(from, 1)
    post.expire(mailbox, seq, item, REASON)
    lost += 1
  }
  return lost
}

/** What was put back may lie before the place from which a device would go on. */
async function forgetCursors(store: Store): Promise<void> {
  for await (const [key] of allPairs(store, 'cursor/')) store.remove(key)
}

async function* allEntries(journal: Journal): AsyncGenerator<{ seq: number; entry: Entry }> {
  for (let after = 0; ; ) {
    const page = await journal.readSince(after, LIMITS.recordReadMax)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < LIMITS.recordReadMax) return
    after = last.seq
  }
}
