/**
 * A look at start whether journal, inboxes and records agree, in a few numbers however much there
 * is: each message that waits has an entry, a place in an inbox and a record. Commits are atomic,
 * so they always agree, unless damage was repaired and the relay ended before it was mended.
 */

import { isWaitingRecord } from '../mailbox/record.ts'
import { isMessageEntry } from '../message/entry.ts'
import { lastNumber, tableOf } from '../store/keys.ts'

type Sum = { count: number; seqs: number }

export class Census {
  readonly #entries: Sum = { count: 0, seqs: 0 }
  readonly #places: Sum = { count: 0, seqs: 0 }
  #waiting = 0

  /** Called for each stored pair while the store starts. */
  visit(key: string, value: Uint8Array): void {
    switch (tableOf(key)) {
      case 'entry':
        if (isMessageEntry(value)) count(this.#entries, lastNumber(key))
        break
      case 'box':
        if (key.startsWith('box/inbox/')) count(this.#places, lastNumber(key))
        break
      case 'record':
        if (isWaitingRecord(value)) this.#waiting += 1
        break
    }
  }

  /** @param options.keepsPayloads whether entries of delivered messages are there on purpose */
  agrees({ keepsPayloads }: { keepsPayloads: boolean }): boolean {
    if (this.#waiting !== this.#places.count) return false
    if (keepsPayloads) return this.#entries.count >= this.#places.count
    const { count, seqs } = this.#entries
    return count === this.#places.count && seqs === this.#places.seqs
  }
}

/** Sums wrap around, like those of a checksum. */
function count(sum: Sum, seq: number): void {
  sum.count += 1
  sum.seqs = (sum.seqs + seq) % Number.MAX_SAFE_INTEGER
}
