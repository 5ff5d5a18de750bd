/**
 * What became of a message, kept while it waits and for a while after: for `message list` and
 * `message trace`, and so that a sender's retry stays one message.
 *
 *     record/{from}/{to}/{id}
 *         [status, seq, acceptedMs, clock, bytes, deadlineMs, settledMs, [[what, atMs, clock, device?], …]]
 *
 * While a message waits its acknowledgements are in the box; the record gets them when it settles.
 */
import type { Stamp } from '../message/message.ts'
import { type DeviceId, type MessageId, messageId, type UserId, userId } from '../message/names.ts'

export type RecordStatus = 'stored' | 'delivered' | 'read' | 'expired'

/** One step in the life of a message. */
export type RecordEvent = {
  readonly what: 'delivered' | 'read' | 'expired'
  readonly at: Stamp
  readonly device?: DeviceId
  readonly reason?: string
}

export type MessageRecord = {
  readonly status: RecordStatus
  readonly seq: number
  readonly accepted: Stamp
  readonly bytes: number
  /** Age of the store at which the message expires. */
  readonly deadlineMs: number
  /** Age of the store at which the message settled; 0 while it waits. */
  readonly settledMs: number
  readonly events: readonly RecordEvent[]
}

/** The address of a message: unique for ever, since the sender names its messages. */
export type MessageKey = {
  readonly from: UserId
  readonly to: UserId
  readonly id: MessageId
}

export function recordKey(from: UserId, to: UserId, id: MessageId): string {
  return `record/${from}/${to}/${id}`
}

/** The address in a key of the table `record`. */
export function parseRecordKey(key: string): MessageKey {
  const [, from = '', to = '', id = ''] = key.split('/')
  return { from: userId(from), to: userId(to), id: messageId(id) }
}

export function encodeRecord(record: MessageRecord): Uint8Array {
  const fields = [
    record.status,
    record.seq,
    record.accepted.atMs,
    record.accepted.clock,
    record.bytes,
    record.deadlineMs,
    record.settledMs,
    record.events.map(({ what, at, device, reason }) => [
      what,
      at.atMs,
      at.clock,
      device ?? null,
      reason ?? null,
    ]),
  ]
  return Buffer.from(JSON.stringify(fields))
}

/** Decodes what `encodeRecord` wrote; the store has checked the bytes. */
export function decodeRecord(value: Uint8Array): MessageRecord {
  const [status, seq, atMs, clock, bytes, deadlineMs, settledMs, events] = JSON.parse(
    Buffer.from(value).toString(),
  ) as [
    RecordStatus,
    number,
    number,
    Stamp['clock'],
    number,
    number,
    number,
    [RecordEvent['what'], number, Stamp['clock'], DeviceId | null, string | null][],
  ]
  return {
    status,
    seq,
    accepted: { atMs, clock },
    bytes,
    deadlineMs,
    settledMs,
    events: events.map(([what, at, quality, device, reason]) => ({
      what,
      at: { atMs: at, clock: quality },
      ...(device === null ? {} : { device }),
      ...(reason === null ? {} : { reason }),
    })),
  }
}

/** How the bytes of a record begin while its message waits. */
const WAITING = Buffer.from('["stored"')

/** Whether an encoded record is of a message that waits, without decoding the rest. */
export function isWaitingRecord(value: Uint8Array): boolean {
  return WAITING.equals(value.subarray(0, WAITING.length))
}
