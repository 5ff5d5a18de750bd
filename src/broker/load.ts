/**
 * Moving averages as `$SYS/broker/load` has them: how much came in a minute, averaged over 1, 5
 * and 15 minutes, older minutes counting ever less.
 */

const WINDOWS = [
  ['1min', 60_000],
  ['5min', 300_000],
  ['15min', 900_000],
] as const

const MINUTE_MS = 60_000

export class Load {
  #total = 0
  readonly #averages = new Map<string, number>(WINDOWS.map(([name]) => [name, 0]))

  /**
   * @param total what was counted since the start
   * @param elapsedMs time since the last call
   */
  update(total: number, elapsedMs: number): void {
    const perMinute = ((total - this.#total) * MINUTE_MS) / elapsedMs
    this.#total = total
    for (const [name, windowMs] of WINDOWS) {
      const before = this.#averages.get(name) ?? 0
      const weight = Math.exp(-elapsedMs / windowMs)
      this.#averages.set(name, perMinute + weight * (before - perMinute))
    }
  }

  /** Each window with its average, two digits after the point. */
  *entries(): Generator<[window: string, text: string]> {
    for (const [name, average] of this.#averages) yield [name, average.toFixed(2)]
  }
}
