/** A clock that a test moves: monotonic time and wall clock apart, timers only when it is moved. */
import type { Clock, ClockQuality } from '../../src/clock.ts'

type Timer = { readonly atMs: number; readonly run: () => void }

export class ManualClock implements Clock {
  trust: ClockQuality = 'ntp'
  #nowMs = 0
  #wallMs = Date.UTC(2026, 5, 1)
  readonly #timers = new Set<Timer>()

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  quality(): ClockQuality {
    return this.trust
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that have not run yet. */
  get timers(): number {
    return this.#timers.size
  }

  /** Lets time pass; what comes due meanwhile runs at its moment, the earliest first. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next)
      this.#move(Math.max(this.#nowMs, next.atMs))
      next.run()
    }
    this.#move(endMs)
  }

  /** Sets the wall clock as an operator or NTP does: no time passes. */
  jumpWall(ms: number): void {
    this.#wallMs += ms
  }

  #move(toMs: number): void {
    this.#wallMs += toMs - this.#nowMs
    this.#nowMs = toMs
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer
    }
    return next
  }
}
