/** Answers what became of messages: the list, and the story of one. Never shows payloads. */
import type { Journal } from '../journal/journal.ts'
import { decodeItem, type Item } from '../mailbox/item.ts'
import type { MessageRecord, RecordStatus } from '../mailbox/record.ts'
import type { FoundRecord, Records } from '../mailbox/records.ts'
import type { MessageId, UserId } from '../message/names.ts'
import type { Device } from '../roster/device.ts'
import type { Roster } from '../roster/roster.ts'
import { sortable } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { deliveries } from './settlement.ts'

export type MessageFilter = {
  /** Messages from or to this user. */
  readonly user?: UserId
  readonly id?: MessageId
  /** `queued` is whatever still waits. */
  readonly status?: RecordStatus | 'queued'
  readonly sinceMs?: number
  readonly untilMs?: number
  readonly limit: number
}

export type MessageRow = {
  readonly id: MessageId
  readonly from: UserId
  readonly to: UserId
  readonly status: RecordStatus
  readonly acceptedAt: string
  readonly bytes: number
}

export type TraceEvent = {
  readonly at: string
  readonly clock: string
  readonly relay: string
  readonly what: string
  readonly device?: string
  readonly reason?: string
}

export type Trace = {
  readonly id: MessageId
  readonly from: UserId
  readonly to: UserId
  readonly status: RecordStatus
  readonly bytes: number
  readonly events: readonly TraceEvent[]
  /** For a message that waits: who has it, why, and what happens next. */
  readonly next?: string
}

export type InquiryParts = {
  readonly store: Store
  readonly records: Pick<Records, 'all'>
  readonly journal: Pick<Journal, 'ageMs'>
  readonly roster: Pick<Roster, 'user' | 'holders'>
  /** Whether a device of a user is connected to this relay now. */
  readonly isConnected: (user: UserId, device: Device) => boolean
}

export class Inquiry {
  readonly #parts: InquiryParts
  readonly #relay: string
  readonly #listedForMs: number

  /**
   * @param options.relay name of this relay, shown with each event
   * @param options.listedForMs how long a settled message stays in lists
   */
  constructor(parts: InquiryParts, options: { relay: string; listedForMs: number }) {
    this.#parts = parts
    this.#relay = options.relay
    this.#listedForMs = options.listedForMs
  }

  /** Messages that match, the newest first, at most `filter.limit`. */
  async list(filter: MessageFilter): Promise<MessageRow[]> {
    let rows: FoundRecord[] = []
    for await (const found of this.#parts.records.all()) {
      if (!this.#isListed(found.record) || !matches(found, filter)) continue
      rows.push(found)
      // Keeps memory in bounds without sorting for each record.
      if (rows.length >= 2 * filter.limit) rows = newest(rows, filter.limit)
    }
    return newest(rows, filter.limit).map(({ key, record }) => ({
      ...key,
      status: record.status,
      acceptedAt: iso(record.accepted.atMs),
      bytes: record.bytes,
    }))
  }

  /** The stories of all messages with this id; there is one unless several senders chose it. */
  async trace(id: MessageId): Promise<Trace[]> {
    const traces: Trace[] = []
    for await (const found of this.#parts.records.all()) {
      if (found.key.id === id) traces.push(this.#traceOf(found))
    }
    return traces
  }

  #isListed(record: MessageRecord): boolean {
    if (record.settledMs === 0) return true
    return this.#parts.journal.ageMs() - record.settledMs <= this.#listedForMs
  }

  #traceOf({ key, record }: FoundRecord): Trace {
    const item = record.settledMs === 0 ? this.#itemOf(key.to, record.seq) : undefined
    const acked = item === undefined ? [] : deliveries(this.#parts.roster, key.to, item)
    const events = [{ what: 'accepted', at: record.accepted }, ...acked, ...record.events].map(
      ({ at, ...event }) => ({
        at: iso(at.atMs),
        clock: at.clock,
        relay: this.#relay,
        ...event,
      }),
    )
    return {
      ...key,
      status: record.status,
      bytes: record.bytes,
      events,
      ...(item === undefined ? {} : { next: this.#next(key.to, record, item) }),
    }
  }

  #itemOf(to: UserId, seq: number): Item | undefined {
    const value = this.#parts.store.get(`box/inbox/${to}/${sortable(seq)}`)
    return value === undefined ? undefined : decodeItem(value)
  }

  #next(to: UserId, record: MessageRecord, item: Item): string {
    const leftMs = Math.max(0, record.deadlineMs - this.#parts.journal.ageMs())
    const end = `expires after ${duration(leftMs)} more of running time`
    const holders = this.#parts.roster.holders(to, 'inbox')
    const missing = holders.filter(({ number }) => item.acks.every((ack) => ack.device !== number))
    if (missing.length === 0) {
      return `${this.#relay} holds it: ${to} has no device that takes mail yet; the first one gets it; ${end}`
    }
    const waits = missing.map((device) => this.#waitsFor(to, device)).join(', ')
    return `${this.#relay} holds it for ${waits}; ${end}`
  }

  #waitsFor(user: UserId, device: Device): string {
    if (this.#parts.isConnected(user, device)) {
      return `device ${device.id}, which is connected and has not acknowledged it yet`
    }
    return `device ${device.id}, last seen ${iso(device.lastSeen.atMs)}, which gets it when it connects`
  }
}

function matches({ key, record }: FoundRecord, filter: MessageFilter): boolean {
  const { user, id, status, sinceMs, untilMs } = filter
  if (user !== undefined && key.from !== user && key.to !== user) return false
  if (id !== undefined && key.id !== id) return false
  if (status === 'queued' && record.settledMs !== 0) return false
  if (status !== undefined && status !== 'queued' && record.status !== status) return false
  if (sinceMs !== undefined && record.accepted.atMs < sinceMs) return false
  return untilMs === undefined || record.accepted.atMs <= untilMs
}

function newest(rows: readonly FoundRecord[], limit: number): FoundRecord[] {
  return rows.toSorted((a, b) => b.record.seq - a.record.seq).slice(0, limit)
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}

/** A length of time as people say it: `3 d`, `5 h`, `12 min`. */
function duration(ms: number): string {
  const minutes = Math.ceil(ms / 60_000)
  if (minutes >= 2 * 1440) return `${Math.floor(minutes / 1440)} d`
  if (minutes >= 120) return `${Math.floor(minutes / 60)} h`
  return `${minutes} min`
}
