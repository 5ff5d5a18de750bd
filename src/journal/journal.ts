/**
 * The append-only log of everything that has to survive or travel: messages, receipts and
 * state. One sequence for this relay; an entry that nobody needs any more is simply absent.
 * What an entry means (whose mailbox, which user) is known above.
 */
import { decode, encode } from 'cborg'
import { type Clock, HybridClock } from '../clock.ts'
import type { Log } from '../log.ts'
import { decodeEntry, type Entry, encodeEntry, isStateEntry } from '../message/entry.ts'
import type { Message } from '../message/message.ts'
import { lastNumber, part, sortable, under } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { Times } from './times.ts'

/** The newest state record of a key, and where its entry is. */
type Newest = { readonly seq: number; readonly hlc: number; readonly value: unknown }

/** What upper layers get of each state record at start. */
export type StateVisitor = (kind: string, key: string, value: unknown) => void

export class Journal {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #times: Times
  #prefix = ''
  #author: string | undefined
  #stamps: HybridClock
  /** Only while the store is read at start. */
  #found = { seq: 0, stamp: 0, states: new Map<string, Newest>(), outdated: [] as number[] }

  constructor(parts: { store: Store; clock: Clock; log: Log }) {
    this.#store = parts.store
    this.#clock = parts.clock
    this.#log = parts.log
    this.#times = new Times(parts)
    this.#stamps = new HybridClock(parts.clock, 0)
  }

  /** Called for each stored pair of the table `entry` while the store starts. */
  visit(key: string, value: Uint8Array): void {
    const seq = lastNumber(key)
    this.saw(seq)
    this.#author = key.split('/')[1]?.split('.')[0]
    if (isStateEntry(value)) this.#visitState(seq, value)
  }

  /** Takes note of a number that was handed out here and names something outside the journal. */
  saw(seq: number): void {
    this.#found.seq = Math.max(this.#found.seq, seq)
  }

  #visitState(seq: number, value: Uint8Array): void {
    const entry = decodeEntry(value)
    if (entry.kind !== 'state') return
    const { hlc, record } = entry
    const id = stateKey(record.kind, record.key)
    const known = this.#found.states.get(id)
    this.#found.stamp = Math.max(this.#found.stamp, hlc)
    // A repaired store may bring an older version back; the newest wins.
    if (known !== undefined && known.hlc > hlc) {
      this.#found.outdated.push(seq)
      return
    }
    if (known !== undefined) this.#found.outdated.push(known.seq)
    this.#found.states.set(id, { seq, hlc, value: record.value })
  }

  /** The relay whose entries were found, for a store that does not know its own name any more. */
  get authorFound(): string | undefined {
    return this.#author
  }

  /**
   * Goes on where the last run ended, and hands every state record to `visitor`.
   * @param origin `relayId.incarnation`, the author of the entries appended here
   */
  start(origin: string, visitor: StateVisitor): void {
    this.#prefix = `entry/${origin}/`
    const { seq, stamp, states, outdated } = this.#found
    this.#found = { seq: 0, stamp: 0, states: new Map(), outdated: [] }
    this.#times.start({ seq, stamp })
    this.#stamps = new HybridClock(this.#clock, this.#times.stampAtStart)
    for (const old of outdated) this.remove(old)
    for (const [id, newest] of states) {
      this.#mendStateIndex(id, newest.seq)
      const [, kind = '', key = ''] = id.split('/')
      if (newest.value !== null) visitor(kind, decodeURIComponent(key), newest.value)
    }
  }

  #mendStateIndex(id: string, seq: number): void {
    const stored = this.#store.get(id)
    if (stored !== undefined && decode(stored) === seq) return
    this.#log.warn({ key: id }, 'a state index was missing or old and has been made again')
    this.#store.put(id, encode(seq))
  }

  /** Milliseconds of running time on this store; every deadline counts on it. */
  ageMs(): number {
    return this.#times.ageMs()
  }

  /** The number that the next entry gets. Allocated and written in one turn, so order holds. */
  nextSeq(): number {
    return this.#times.nextSeq(this.#stamps)
  }

  /** The write that appends a message under a number from `nextSeq`. */
  messageWrite(seq: number, message: Message): Write {
    return this.#write(seq, { kind: 'message', hlc: this.#stamps.next(), message })
  }

  #write(seq: number, entry: Entry): Write {
    return { key: this.#key(seq), value: encodeEntry(entry) }
  }

  /** Removes an entry that is there. */
  remove(seq: number): void {
    this.#store.remove(this.#key(seq))
  }

  /** Removes an entry that may have been lost. */
  removeIfThere(seq: number): void {
    if (this.has(seq)) this.remove(seq)
  }

  has(seq: number): boolean {
    return this.#store.has(this.#key(seq))
  }

  /** The entries with these numbers; `undefined` for one that is gone or damaged. */
  async read(seqs: readonly number[]): Promise<(Entry | undefined)[]> {
    const values = await this.#store.getMany(seqs.map((seq) => this.#key(seq)))
    return values.map((value) => (value === undefined ? undefined : decodeEntry(value)))
  }

  /** Committed entries after `seq`, oldest first, at most `limit`; what a link sends. */
  async readSince(seq: number, limit: number): Promise<{ seq: number; entry: Entry }[]> {
    const range = { gte: this.#key(seq + 1), lt: under(this.#prefix).lt, limit }
    const pairs = await this.#store.scan(range)
    return pairs.map(([key, value]) => ({ seq: lastNumber(key), entry: decodeEntry(value) }))
  }

  /** Writes the newest version of a state record; the older one leaves. */
  put(kind: string, key: string, value: unknown): void {
    const id = stateKey(kind, key)
    const known = this.#store.get(id)
    const seq = this.nextSeq()
    const write = this.#write(seq, {
      kind: 'state',
      hlc: this.#stamps.next(),
      record: { kind, key, value },
    })
    this.#store.insert(write.key, write.value)
    if (known === undefined) {
      this.#store.insert(id, encode(seq))
      return
    }
    const older = this.#key(decode(known) as number)
    if (this.#store.has(older)) this.#store.remove(older)
    this.#store.replace(id, encode(seq))
  }

  /** Says that a state record is gone. The saying itself stays, for relays that still have it. */
  removeState(kind: string, key: string): void {
    this.put(kind, key, null)
  }

  /** Writes how far time has come; to be called now and then while anything has a deadline. */
  saveTimes(): void {
    this.#times.save(this.#stamps)
  }

  /** Before a clean stop of the store. */
  finish(): void {
    this.#times.finish(this.#stamps)
  }

  #key(seq: number): string {
    return `${this.#prefix}${sortable(seq)}`
  }
}

function stateKey(kind: string, key: string): string {
  return `state/${kind}/${part(key)}`
}
