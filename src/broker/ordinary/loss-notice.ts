/** Counts what had to be dropped, and says so in the log at once and then once a minute at most. */
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'

const SILENCE_MS = 60_000

export class LossNotice {
  readonly #clock: Clock
  readonly #log: Log
  readonly #text: string
  #total = 0
  #told = 0
  #isSilent = false

  /** @param options.text what the log says was done, and the mend */
  constructor(parts: { clock: Clock; log: Log }, options: { text: string }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#text = options.text
  }

  /** How many were dropped since the start. */
  get total(): number {
    return this.#total
  }

  count(): void {
    this.#total += 1
    if (!this.#isSilent) this.#tell()
  }

  #tell(): void {
    this.#log.warn({ count: this.#total - this.#told, total: this.#total }, this.#text)
    this.#told = this.#total
    this.#isSilent = true
    this.#clock.after(SILENCE_MS, () => {
      this.#isSilent = false
      if (this.#total > this.#told) this.#tell()
    })
  }
}
