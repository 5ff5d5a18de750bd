/**
 * The table `record`: what became of each message. A filter in memory answers at once for a
 * message that was never here, so that a new one costs no look at the disk.
 */
import { allPairs } from '../store/pairs.ts'
import type { Store, Write } from '../store/store.ts'
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
    const value = this.#store.get(key)
    return value === undefined ? undefined : decodeRecord(value)
  }

  /** The write that makes the record of a new message; the caller commits it with its entry. */
  write(key: string, record: MessageRecord): Write {
    this.#remember(key)
    return { key, value: encodeRecord(record) }
  }

  /** Writes the record of a message that has none. */
  insert(key: string, record: MessageRecord): void {
    const write = this.write(key, record)
    this.#store.insert(write.key, write.value)
  }

  /** Writes a record where there is one. */
  replace(key: string, record: MessageRecord): void {
    this.#store.replace(key, encodeRecord(record))
  }

  /** Writes a record, after a look whether there is one. */
  put(key: string, record: MessageRecord): void {
    this.#remember(key)
    this.#store.put(key, encodeRecord(record))
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
