/**
 * After damage: the boxes and records are made to agree with the journal again. Entries that lost
 * their place in a box get it back; what lost its entry is gone, and its sender is told. Runs only
 * when the store has reported damage or they do not agree (census.ts), before anybody is served.
 */
import type { Journal } from '../journal/journal.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Item } from '../mailbox/item.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import { recordKey } from '../mailbox/record.ts'
import type { Records } from '../mailbox/records.ts'
import type { Entry } from '../message/entry.ts'
import type { Message } from '../message/message.ts'
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
  readonly records: Records
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
    if (entry.kind !== 'message') continue
    const { message } = entry
    const record = parts.records.get(keyOf(message))
    if (parts.mailboxes.of('inbox', message.to).has(seq)) {
      if (record === undefined) writeRecord(parts, seq, message, deadlineOf(parts, message))
      continue
    }
    if (record === undefined || record.settledMs === 0) {
      putBack(parts, seq, message, record?.deadlineMs)
      restored += 1
    } else if (!keepsPayloads) {
      parts.journal.remove(seq)
      dropped += 1
    }
  }
  return { restored, dropped }
}

function keyOf({ from, to, id }: Message): string {
  return recordKey(from, to, id)
}

function putBack(
  parts: MendParts,
  seq: number,
  message: Message,
  knownDeadlineMs: number | undefined,
): void {
  const { id, from, to, payload } = message
  const deadlineMs = knownDeadlineMs ?? deadlineOf(parts, message)
  const bytes = payload.length
  const item: Item = { bytes, deadlineMs, from, id, acks: [], received: [] }
  const mailbox = parts.mailboxes.of('inbox', to)
  const write = mailbox.write(seq, item)
  parts.store.insert(write.key, write.value)
  mailbox.restore(seq, item)
  parts.mailboxes.countSent(from, 1)
  writeRecord(parts, seq, message, deadlineMs)
}

/** Where nothing tells how long a message has waited, it may wait once more as long. */
function deadlineOf({ journal }: MendParts, { expiresAfterS }: Message): number {
  return journal.ageMs() + expiresAfterS * 1000
}

function writeRecord(
  { records }: MendParts,
  seq: number,
  message: Message,
  deadlineMs: number,
): void {
  const { accepted, payload } = message
  records.put(keyOf(message), {
    status: 'stored',
    seq,
    accepted,
    bytes: payload.length,
    deadlineMs,
    settledMs: 0,
    events: [],
  })
}

/** Ends what is in a box without an entry. */
async function mendBoxes({ mailboxes, journal, post }: MendParts): Promise<number> {
  let lost = 0
  for (const mailbox of [...mailboxes.all()]) {
    if (mailbox.box !== 'inbox') continue
    for await (const { seq, item } of mailbox.items()) {
      if (journal.has(seq)) continue
      post.expire(mailbox, seq, item, REASON)
      lost += 1
    }
  }
  return lost
}

/** Ends what is recorded as waiting and is in no box. */
async function mendRecords(parts: MendParts): Promise<number> {
  const { store, mailboxes, records, post } = parts
  let lost = 0
  for await (const { key, record } of records.all()) {
    const { from, to, id } = key
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
