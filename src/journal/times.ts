/**
 * Time and numbers that have to go on where the last run ended: the sequence, the hybrid clock,
 * and the age clock on which every deadline is counted.
 */
import { decode, encode } from 'cborg'
import type { Clock, HybridClock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Store } from '../store/store.ts'

const KEY = 'meta/times'

/**
 * Hands out sequence numbers and the age of the store.
 *
 * A sequence number is never used twice, and age never jumps, although neither is written for
 * each message: a block of numbers is reserved ahead, and a run that ended without notice skips
 * the rest of its block. Age is the time that a relay has been running on this store, so neither
 * a wrong wall clock nor a night without power makes anything expire early.
 */
export class Times {
  readonly #store: Store
  readonly #clock: Clock
  #seq = 0
  #ceiling = 0
  #ageMsAtStart = 0
  #startedMs = 0
  #stampAtStart = 0

  constructor(parts: { store: Store; clock: Clock }) {
    this.#store = parts.store
    this.#clock = parts.clock
  }

  /** Takes over from the last run. `seqSeen` and `stampSeen` are the highest found in entries. */
  start(seen: { seq: number; stamp: number }): void {
    const stored = this.#store.get(KEY)
    const [seq, ageMs, stamp] = stored === undefined ? [0, 0, 0] : (decode(stored) as number[])
    this.#seq = Math.max(seq ?? 0, seen.seq)
    this.#ceiling = this.#seq
    this.#ageMsAtStart = ageMs ?? 0
    this.#startedMs = this.#clock.monotonicMs()
    this.#stampAtStart = Math.max(stamp ?? 0, seen.stamp)
  }

  /** The highest hybrid stamp that the last run is known to have made. */
  get stampAtStart(): number {
    return this.#stampAtStart
  }

  /** Milliseconds that relays have been running on this store. */
  ageMs(): number {
    return Math.floor(this.#ageMsAtStart + this.#clock.monotonicMs() - this.#startedMs)
  }

  /** The next sequence number; the caller writes an entry with it in this turn. */
  nextSeq(stamps: HybridClock): number {
    this.#seq += 1
    if (this.#seq > this.#ceiling) {
      this.#ceiling = this.#seq + LIMITS.seqBlock
      this.#write(this.#ceiling, stamps.last)
    }
    return this.#seq
  }

  /** Writes the age, so that a crash takes back no more of it than the time since. */
  save(stamps: HybridClock): void {
    this.#write(this.#ceiling, stamps.last)
  }

  /** Gives the rest of the block back; for a clean end, after the last entry. */
  finish(stamps: HybridClock): void {
    this.#ceiling = this.#seq
    this.#write(this.#seq, stamps.last)
  }

  #write(seq: number, stamp: number): void {
    this.#store.put(KEY, encode([seq, this.ageMs(), stamp]))
  }
}
