/**
 * What the store should hold: the number of the newest commit and, for each table, how many keys
 * there are and the sum of their checksums. Written with every commit, so that a store that lost
 * keys without noticing can be told from one that never had them. The sum finds what a count
 * cannot: one key gone and another one back.
 */
import { tableOf } from './keys.ts'

export type TableTally = { count: number; sum: number }

export class Tally {
  readonly commit: number
  readonly tables: Map<string, TableTally>

  constructor(commit = 0, tables = new Map<string, TableTally>()) {
    this.commit = commit
    this.tables = tables
  }

  /** The same counts, free to be changed, for the commit with this number. */
  at(commit: number): Tally {
    const tables = new Map<string, TableTally>()
    for (const [name, { count, sum }] of this.tables) tables.set(name, { count, sum })
    return new Tally(commit, tables)
  }

  /** @param sum the key's `keySum` */
  add(key: string, sum: number): void {
    const table = this.#table(tableOf(key))
    table.count += 1
    table.sum = (table.sum + sum) | 0
  }

  /** @param sum the key's `keySum` */
  drop(key: string, sum: number): void {
    const table = this.#table(tableOf(key))
    table.count -= 1
    table.sum = (table.sum - sum) | 0
  }

  /** All keys together. */
  get count(): number {
    let count = 0
    for (const table of this.tables.values()) count += table.count
    return count
  }

  #table(name: string): TableTally {
    let table = this.tables.get(name)
    if (table === undefined) {
      table = { count: 0, sum: 0 }
      this.tables.set(name, table)
    }
    return table
  }

  /** Text that `parseTally` reads. */
  toString(): string {
    const tables = [...this.tables].map(([name, { count, sum }]) => [name, count, sum])
    return JSON.stringify([this.commit, tables])
  }
}

/** The tally in `text`, or `undefined` where it is none. */
export function parseTally(text: string): Tally | undefined {
  try {
    const [commit, rows] = JSON.parse(text) as [number, [string, number, number][]]
    const tables = new Map(rows.map(([name, count, sum]) => [name, { count, sum }]))
    return new Tally(commit, tables)
  } catch {
    return undefined
  }
}
