/**
 * What was removed and still lies on the disk. LevelDB only notes a removal; the bytes leave when
 * it rewrites the file that they are in, which on a quiet relay may be never. So the ranges that
 * removals fell into are remembered, and now and then rewritten: with the files that hold them,
 * and no others.
 */
import { LIMITS } from '../limits.ts'
import type { KeyRange } from './keys.ts'

type Span = { first: string; last: string }

/** Tables whose bytes are somebody's mail. */
const TABLES = ['entry/', 'box/']

export class Leavings {
  readonly #spans = new Map<string, Span>()

  /** A key of the store has been removed. */
  note(key: string): void {
    if (!TABLES.some((table) => key.startsWith(table))) return
    const prefix = key.slice(0, key.lastIndexOf('/') + 1)
    const span = this.#spans.get(prefix)
    if (span === undefined) this.#spans.set(prefix, { first: key, last: key })
    else if (key < span.first) span.first = key
    else if (key > span.last) span.last = key
  }

  /** Ranges to be rewritten now; the rest waits for the next time. */
  take(): KeyRange[] {
    const taken = [...this.#spans].slice(0, LIMITS.compactRangesMax)
    for (const [prefix] of taken) this.#spans.delete(prefix)
    return taken.map(([, { first, last }]) => ({ gte: first, lt: `${last}\0` }))
  }
}
