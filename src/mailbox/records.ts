/**
 * The table `record`: what became of each message. A filter in memory answers at once for a
 * message that was never here, so that a new one costs no look at the disk.
 */
import { LIMITS } from '../limits.ts'
import { allPairs } from '../store/pairs.ts'
import type { LateValue, Store, Write } from '../store/store.ts'
import { KeyFilter } from './key-filter.ts'
import {
  decodeRecord,
  encodeRecord,
  type MessageKey,
  type MessageRecord,
  parseRecordKey,
} from './record.ts'

/** A record with the message it is about. */
export type FoundRecord = { readonly key: MessageKey; readonly record: MessageRecord }

export class Records {
  readonly #store: Store
  /** Those whose first write is on its way: most are read again before it ends. */
  readonly #newest = new Map<string, MessageRecord>()
  #filter = new KeyFilter()
  /** The filter of the next time, while all records are walked through to fill it. */
  #nextFilter: KeyFilter | undefined

  constructor(parts: { store: Store }) {
    this.#store = parts.store
  }

  /** Called for each stored key of the table while the store starts. */
  visit(key: string): void {
    this.#filter.add(key)
  }

  /** The record of a message; `undefined` where it was never here or is forgotten. */
  get(key: string): MessageRecord | undefined {
    if (!this.#filter.mayHave(key)) return undefined
    const known = this.#newest.get(key)
    if (known !== undefined) return known
    const value = this.#store.get(key)
    return value === undefined ? undefined : decodeRecord(value)
  }

  /** The write that makes the record of a new message; the caller commits it with its entry. */
  write(key: string, record: MessageRecord): Write {
    this.#remember(key)
    this.#note(key, record)
    return { key, value: lateValue(record) }
  }

  /** Writes the record of a message that has none. */
  insert(key: string, record: MessageRecord): void {
    this.#remember(key)
    this.landed(key)
    this.#store.insert(key, lateValue(record))
  }

  /** Writes a record where there is one. */
  replace(key: string, record: MessageRecord): void {
    this.landed(key)
    this.#store.replace(key, lateValue(record))
  }

  /** Writes a record, after a look whether there is one. */
  put(key: string, record: MessageRecord): void {
    this.#remember(key)
    this.landed(key)
    this.#store.put(key, lateValue(record))
  }

  /** The first write of the record has ended, one way or the other: the store knows. */
  landed(key: string): void {
    this.#newest.delete(key)
  }

  #note(key: string, record: MessageRecord): void {
    if (this.#newest.size >= LIMITS.newestRecordsMax) this.#newest.clear()
    this.#newest.set(key, record)
  }

  #remember(key: string): void {
    this.#filter.add(key)
    this.#nextFilter?.add(key)
  }

  /** Every committed record whose key begins with `prefix`, in order, a page at a time. */
  async *all(prefix = 'record/'): AsyncGenerator<FoundRecord> {
    for await (const [key, value] of allPairs(this.#store, prefix)) {
      yield { key: parseRecordKey(key), record: decodeRecord(value) }
    }
  }

  /**
   * Removes every record that is not needed. A filter cannot forget a single key, so one that is
   * full is replaced by one with the keys that stay.
   */
  async sweep(isNeeded: (record: MessageRecord) => boolean): Promise<void> {
    const next = this.#filter.isFull ? new KeyFilter() : undefined
    this.#nextFilter = next
    try {
      // The walk does not see what is on its way to the disk when it begins.
      if (next !== undefined) await this.#store.committed()
      for await (const [key, value] of allPairs(this.#store, 'record/')) {
        if (isNeeded(decodeRecord(value))) next?.add(key)
        else this.#store.remove(key)
      }
      if (next !== undefined) this.#filter = next
    } finally {
      this.#nextFilter = undefined
    }
  }
}

/** About as long as most are. */
const RECORD_BYTES = 128

function lateValue(record: MessageRecord): LateValue {
  return { bytes: RECORD_BYTES, encode: () => encodeRecord(record) }
}
