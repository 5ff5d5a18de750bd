/**
 * Where LevelDB lives: `pairs-1/`, `pairs-2/` and so on, one generation at a time. Opening LevelDB
 * changes and deletes files, and a folder whose MANIFEST was cut short loses data by it. So a
 * folder is never opened twice: the next generation is made of hard links to its files and opened
 * instead, and the older one leaves only when the newer one is known to be good. The same step
 * gets a LevelDB that refuses to write going again, while the older one still answers reads.
 *
 * While there are several generations, the lowest is the one that counts: nothing is acknowledged
 * from a newer one before the older one has been renamed away.
 */
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database, OpenDatabase } from './database.ts'
import { linkFolder, refuseForeign, syncFolder } from './folder.ts'

type Generation = { readonly number: number; readonly database: Database }

const NAME = /^pairs-(\d+)$/
/** What a stopped run may have left half made or half deleted. */
const LEFTOVER = /^(gone|salvage)-\d+$/

export class Generations {
  readonly #open: OpenDatabase
  readonly #path: string
  #current: Generation | undefined

  constructor(parts: { open: OpenDatabase }, options: { path: string }) {
    this.#open = parts.open
    this.#path = options.path
  }

  /** The open LevelDB; only between `start` and `stop` of the store. */
  get database(): Database {
    if (this.#current === undefined) throw new Error('the store is not started')
    return this.#current.database
  }

  get isOpen(): boolean {
    return this.#current !== undefined
  }

  folder(number: number): string {
    return join(this.#path, `pairs-${number}`)
  }

  /** Clears away what is half made, and gives the generation that counts; 0 in a new store. */
  async find(): Promise<number> {
    const names = await readdir(this.#path)
    for (const name of names.filter((each) => LEFTOVER.test(each))) await this.#delete(name)
    const numbers = generationNumbers(names)
    for (const number of numbers) await refuseForeign(this.folder(number), 'folder')
    const [lowest = 0, ...unfinished] = numbers
    for (const number of unfinished) await this.#delete(`pairs-${number}`)
    return lowest
  }

  /** Links generation `from` into the next one and opens that. The older one stays as it is. */
  async openLinked(from: number): Promise<void> {
    const number = from + 1
    if (from > 0) await linkFolder(this.folder(from), this.folder(number))
    await this.#openFolder(number)
  }

  /** Makes an empty generation and opens it. */
  async openNew(number: number): Promise<void> {
    await this.#delete(`pairs-${number}`)
    await this.#openFolder(number)
  }

  async #openFolder(number: number): Promise<void> {
    const database = await this.#open(this.folder(number))
    await syncFolder(this.#path)
    this.#current = { number, database }
  }

  /** Goes on with a fresh LevelDB over the same files, after a write that failed. */
  async advance(): Promise<void> {
    const older = this.#current
    if (older === undefined) return
    await this.openLinked(older.number)
    try {
      await this.retireOlder((name) => rename(name, gone(name)))
    } finally {
      await older.database.close()
    }
    await this.#deleteGone()
  }

  /** Hands each generation before the open one to `retire`, which renames its folder. */
  async retireOlder(retire: (folder: string) => Promise<void>): Promise<void> {
    const open = this.#current?.number ?? 0
    for (const number of generationNumbers(await readdir(this.#path))) {
      if (number < open) await retire(this.folder(number))
    }
    await syncFolder(this.#path)
  }

  /** Lets the older generations go: the open one is good. */
  async settle(): Promise<void> {
    await this.retireOlder((folder) => rename(folder, gone(folder)))
    await this.#deleteGone()
  }

  async close(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    await current?.database.close()
  }

  async #deleteGone(): Promise<void> {
    for (const name of await readdir(this.#path)) if (LEFTOVER.test(name)) await this.#delete(name)
  }

  async #delete(name: string): Promise<void> {
    await rm(join(this.#path, name), { recursive: true, force: true })
  }
}

function generationNumbers(names: string[]): number[] {
  const numbers = names.map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
  return numbers.filter((number) => number > 0).sort((a, b) => a - b)
}

function gone(folder: string): string {
  return folder.replace(/pairs-(\d+)$/, 'gone-$1')
}
