/** What was found damaged, at start or since, in a shape for `status` and in a sentence for people. */
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'

/**
 * - `file`: a file whose own checksums fail; what it held may be gone or older than it should be.
 * - `pair`: a key whose value is not what was written. Set aside, and gone from the store.
 * - `missing`, `returned`, `changed`: a table with fewer keys, more keys, or other keys than the
 *   tally says.
 * - `commits`: the newest commits are gone.
 * - `mended`: what was done about it.
 */
export type DamageKind = 'file' | 'pair' | 'missing' | 'returned' | 'changed' | 'commits' | 'mended'

export type Damage = {
  readonly kind: DamageKind
  /** A sentence for people, with what is known of place and extent. */
  readonly text: string
  /** The table that is concerned, where only one is. */
  readonly table?: string
  /** Keys or commits that are concerned, where they could be counted. */
  readonly count?: number
}

export type StoreReport = {
  /** In the order found, at most `damageListedMax`. */
  readonly damages: readonly Damage[]
  /** Damages beyond those. */
  readonly unlisted: number
  /** Folders under the store with what was set aside, newest last. */
  readonly setAside: readonly string[]
  /** Whether the last run closed the store in order. */
  readonly wasClosed: boolean
}

export class Findings implements StoreReport {
  readonly damages: Damage[] = []
  unlisted = 0
  setAside: string[] = []
  wasClosed = false
  readonly #log: Log
  /** A damaged pair is met at every read; it is told once. */
  readonly #told = new Set<string>()

  constructor(parts: { log: Log }) {
    this.#log = parts.log
  }

  add(damage: Damage): void {
    if (this.damages.length >= LIMITS.damageListedMax) {
      this.unlisted += 1
      return
    }
    this.damages.push(damage)
    const { text, ...fields } = damage
    this.#log[damage.kind === 'mended' ? 'warn' : 'error'](fields, text)
  }

  /** A pair that failed its check when it was read. */
  addPair(key: string, table: string): void {
    if (this.#told.has(key) || this.#told.size >= LIMITS.damageListedMax) return
    this.#told.add(key)
    this.add({
      kind: 'pair',
      table,
      count: 1,
      text: `the value of ${JSON.stringify(key)} is damaged on disk; a restart sets it aside`,
    })
  }
}
