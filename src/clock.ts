/**
 * Time as an argument. `Clock` is what the machine offers; `HybridClock` makes the stamps
 * that order entries. Durations and deadlines count monotonic time, never wall clock.
 */

import { existsSync } from 'node:fs'

/** Trust in a wall-clock reading, worst first. */
export type ClockQuality = 'none' | 'device' | 'peer' | 'ntp' | 'gps'

export interface Clock {
  /** Milliseconds since some fixed moment of this process; never goes back. */
  monotonicMs(): number
  /** Milliseconds since 1970 as the machine believes; may be absurd and may jump. */
  wallMs(): number
  /** How far `wallMs` can be trusted now. */
  quality(): ClockQuality
  /** Calls `run` once after `delayMs`; the returned function takes it back. */
  after(delayMs: number, run: () => void): () => void
}

/** No board that runs this source can live before it was written: 2026-01-01. */
const OLDEST_CREDIBLE_WALL_MS = Date.UTC(2026, 0, 1)

/** systemd-timesyncd makes this file once it has set the clock from a time server. */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized'

/** How long a look at that file is good for. */
const QUALITY_MS = 10_000

/** The longest time that a timer of Node takes; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The machine's own clock. Timers never keep the process alive. */
class SystemClock implements Clock {
  #quality: ClockQuality = 'none'
  #lookedMs = Number.NEGATIVE_INFINITY

  monotonicMs(): number {
    return performance.now()
  }

  wallMs(): number {
    return Date.now()
  }

  quality(): ClockQuality {
    const nowMs = this.monotonicMs()
    if (nowMs - this.#lookedMs < QUALITY_MS) return this.#quality
    this.#lookedMs = nowMs
    const isSet = existsSync(SYNCHRONIZED)
    this.#quality = this.wallMs() < OLDEST_CREDIBLE_WALL_MS ? 'none' : isSet ? 'ntp' : 'device'
    return this.#quality
  }

  after(delayMs: number, run: () => void): () => void {
    let cancel: () => void = () => undefined
    const next = () => {
      cancel = this.after(delayMs - TIMER_MS_MAX, run)
    }
    const isLong = delayMs > TIMER_MS_MAX
    const timer = isLong ? setTimeout(next, TIMER_MS_MAX) : setTimeout(run, delayMs)
    timer.unref()
    return () => {
      clearTimeout(timer)
      cancel()
    }
  }
}

export const systemClock: Clock = new SystemClock()

/** Stamps in one millisecond of wall clock; one more simply runs ahead of it. */
const STAMPS_PER_MS = 1024

/**
 * A hybrid logical clock: a stamp is `wallMs * 1024 + counter` in one safe integer (good until
 * the year 2248), greater than every stamp made or seen before, whatever the wall clock does.
 */
export class HybridClock {
  readonly #clock: Clock
  #last: number

  /** @param last the highest stamp in the store, 0 for a new one */
  constructor(clock: Clock, last: number) {
    this.#clock = clock
    this.#last = last
  }

  /** The highest stamp made or seen so far. */
  get last(): number {
    return this.#last
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.wallMs()) * STAMPS_PER_MS)
    return this.#last
  }
}
