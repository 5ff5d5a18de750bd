/**
 * One pass over a whole store: every value is checked against its seal, every key is counted,
 * and the counts are compared with what they should be.
 */
import { type Database, isOwnKey, type Pair, tallyIn } from './database.ts'
import { tableOf } from './keys.ts'
import type { Damage } from './report.ts'
import { keySum, unsealWith } from './seal.ts'
import { type TableTally, Tally } from './tally.ts'

/** Pairs taken from LevelDB at a time; read while the ones before are checked. */
const CHUNK_PAIRS = 250

export interface PassVisitor {
  /** A pair whose value is what was written, in key order. */
  sound(key: string, value: Buffer, sealed: Buffer): void
  unsound?(key: string, sealed: Buffer): void
  /** Called now and then; the pass goes on when it resolves. */
  pause?(): Promise<void>
}

export type Pass = {
  /** What the store says that it holds. */
  readonly stored: Tally | undefined
  /** Of the sound pairs. */
  readonly tally: Tally
  readonly damaged: number
  /** What ended the pass early. */
  readonly error: unknown
}

/**
 * Reads everything. Pairs of the store itself are checked, but neither counted nor visited. What
 * the visitor throws is thrown; what LevelDB throws ends the pass.
 */
export async function passOver(database: Database, visitor: PassVisitor): Promise<Pass> {
  const counter = new Counter(visitor)
  const iterator = database.iterate({})
  const read = () => iterator.nextv(CHUNK_PAIRS).catch((error: unknown) => new Ended(error))
  try {
    for (let reading = read(); ; ) {
      const pairs = await reading
      if (pairs instanceof Ended) return counter.end(pairs.error)
      if (pairs.length === 0) return counter.end(undefined)
      reading = read()
      for (const pair of pairs) counter.take(pair)
      await visitor.pause?.()
    }
  } finally {
    await iterator.close()
  }
}

class Ended {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

class Counter {
  readonly #visitor: PassVisitor
  readonly #tables = new Map<string, TableTally>()
  /** Keys come in order, so the table changes seldom. */
  #prefix = '/'
  #table: TableTally = { count: 0, sum: 0 }
  #damaged = 0
  #stored: Tally | undefined

  constructor(visitor: PassVisitor) {
    this.#visitor = visitor
  }

  take([key, sealed]: Pair): void {
    const sum = keySum(key)
    const value = unsealWith(sum, sealed)
    if (value === undefined) {
      this.#damaged += 1
      this.#visitor.unsound?.(key, sealed)
    } else if (isOwnKey(key)) {
      this.#stored = tallyIn(key, value) ?? this.#stored
    } else {
      this.#count(key, sum)
      this.#visitor.sound(key, value, sealed)
    }
  }

  #count(key: string, sum: number): void {
    if (!key.startsWith(this.#prefix)) {
      const name = tableOf(key)
      this.#prefix = `${name}/`
      this.#table = this.#tables.get(name) ?? { count: 0, sum: 0 }
      this.#tables.set(name, this.#table)
    }
    this.#table.count += 1
    this.#table.sum = (this.#table.sum + sum) | 0
  }

  end(error: unknown): Pass {
    const tally = new Tally(0, this.#tables)
    return { stored: this.#stored, tally, damaged: this.#damaged, error }
  }
}

/**
 * How the keys that are there differ from those that should be. Damage may take new keys and bring
 * removed ones back at once; only the difference of the two can be told, so counts are lower bounds.
 */
export function differences(expected: Tally, found: Tally): Damage[] {
  const names = new Set([...expected.tables.keys(), ...found.tables.keys()])
  const damages: Damage[] = []
  for (const name of [...names].sort()) {
    const damage = difference(name, expected.tables.get(name), found.tables.get(name))
    if (damage !== undefined) damages.push(damage)
  }
  return damages
}

const NONE: TableTally = { count: 0, sum: 0 }

function difference(table: string, expected = NONE, found = NONE): Damage | undefined {
  const count = Math.abs(expected.count - found.count)
  const numbers = `${found.count} of ${expected.count}`
  if (found.count < expected.count) {
    const text = `table ${table}: at least ${count} keys are missing (${numbers} are there)`
    return { kind: 'missing', table, count, text }
  }
  if (found.count > expected.count) {
    const text = `table ${table}: at least ${count} keys that had been removed are back; others may be missing`
    return { kind: 'returned', table, count, text }
  }
  if (found.sum === expected.sum) return undefined
  return {
    kind: 'changed',
    table,
    text: `table ${table}: as many keys as expected, but other ones`,
  }
}
