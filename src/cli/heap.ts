/**
 * Gives memory back when the relay is quiet. Under load V8 lets the heap grow to several times
 * what lives in it, which is quick; afterwards it keeps it, which a board cannot spare.
 */
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'

export type HeapParts = {
  readonly clock: Clock
  /** Processor time that this process has used, milliseconds. */
  readonly cpuMs: () => number
  /** Memory of this process, bytes. */
  readonly residentBytes: () => number
  readonly collect: () => void
}

/** Collects garbage once after each time of work that has left the process larger. */
export class QuietCollector {
  readonly #parts: HeapParts
  #lastCpuMs = 0
  #smallestBytes = Number.POSITIVE_INFINITY

  constructor(parts: HeapParts) {
    this.#parts = parts
  }

  start(): void {
    this.#lastCpuMs = this.#parts.cpuMs()
    this.#parts.clock.after(LIMITS.quietMs, () => this.#look())
  }

  #look(): void {
    const quietCpuMs = (LIMITS.quietMs * LIMITS.quietPercentMax) / 100
    const isQuiet = this.#parts.cpuMs() - this.#lastCpuMs < quietCpuMs
    const bytes = this.#parts.residentBytes()
    if (isQuiet && bytes > this.#smallestBytes + LIMITS.heapSlackBytes) this.#collect()
    else this.#smallestBytes = Math.min(this.#smallestBytes, bytes)
    this.start()
  }

  #collect(): void {
    this.#parts.collect()
    this.#smallestBytes = this.#parts.residentBytes()
  }
}
