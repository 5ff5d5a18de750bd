/**
 * Mends a damaged generation: everything sound in its files is gathered, what passes its own
 * check is copied into a new generation, and the damaged one is put aside as `damaged-N/` for
 * people to look at. Sound pairs are never dropped; keys that had been removed may come back.
 */
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Database, OpenDatabase, Pair } from './database.ts'
import type { Generations } from './generations.ts'
import { tableOf } from './keys.ts'
import type { Findings } from './report.ts'
import { isNoSpace } from './rescue.ts'
import { salvageFolder } from './salvage.ts'
import type { Tally } from './tally.ts'
import { type PassVisitor, passOver } from './verify.ts'

const NAME = /^damaged-(\d+)$/

export class Mending {
  readonly #log: Log
  readonly #open: OpenDatabase
  readonly #generations: Generations
  readonly #findings: Findings
  readonly #makeRoom: () => Promise<void>
  readonly #path: string
  /** Lines for `pairs.jsonl`. */
  #lines: string[] = []
  #isNeeded = false
  #found: Tally | undefined

  /** @param parts.makeRoom gives up the reserve, because a copy takes room */
  constructor(
    parts: {
      log: Log
      open: OpenDatabase
      generations: Generations
      findings: Findings
      makeRoom: () => Promise<void>
    },
    options: { path: string },
  ) {
    this.#log = parts.log
    this.#open = parts.open
    this.#generations = parts.generations
    this.#findings = parts.findings
    this.#makeRoom = parts.makeRoom
    this.#path = options.path
  }

  /** The newest tally in what was mended, if anything was. */
  get found(): Tally | undefined {
    return this.#found
  }

  /**
   * Opens a new generation with everything sound of generation `from`.
   * @param check called with what was rescued, before anything is copied; may refuse it
   * @returns the newest tally that was found
   */
  async run(from: number, check: (source: Database) => void): Promise<Tally | undefined> {
    this.#log.warn({}, 'the store is being repaired')
    this.#isNeeded = true
    this.#lines = []
    await this.#generations.close()
    await this.#makeRoom()
    const folder = join(this.#path, `salvage-${from}`)
    const source = await this.#openSalvage(this.#generations.folder(from), folder)
    await this.#generations.openNew(from + 1)
    if (source !== undefined) await this.#copyFrom(source, check)
    await rm(folder, { recursive: true, force: true })
    return this.#found
  }

  async #openSalvage(from: string, to: string): Promise<Database | undefined> {
    try {
      if (await salvageFolder(from, to)) return await this.#open(to)
    } catch (error) {
      if (isNoSpace(error)) throw error
      this.#log.error({ error }, 'the store cannot be repaired')
    }
    this.#findings.add({
      kind: 'file',
      text: 'nothing of the store can be read: it starts empty, and the old one is set aside',
    })
    return undefined
  }

  async #copyFrom(source: Database, check: (source: Database) => void): Promise<void> {
    const copy = new Copy(this.#generations.database)
    try {
      check(source)
      const pass = await passOver(source, copy)
      // Not by a single read: in a LevelDB that repaired itself that may find an older value.
      this.#found = pass.stored ?? source.readTally()
      if (pass.error !== undefined) {
        this.#log.error({ error: pass.error }, 'the store could not be read to its end')
      }
    } finally {
      await source.close()
    }
    this.#report(copy)
  }

  #report(copy: Copy): void {
    for (const [key, sealed] of copy.damaged) {
      const table = tableOf(key)
      const text = `the value of ${JSON.stringify(key)} was damaged and is set aside`
      this.#findings.add({ kind: 'pair', table, count: 1, text })
      this.#lines.push(`${JSON.stringify({ key, sealed: sealed.toString('base64') })}\n`)
    }
    const { count } = copy
    this.#findings.add({
      kind: 'mended',
      count,
      text: `the store was repaired with ${count} sound keys`,
    })
  }

  /**
   * Puts the generations before the open one aside where that one was made by mending. The
   * newest `damagedFoldersMax` are kept.
   */
  async setAside(): Promise<void> {
    const numbers = await this.#numbers()
    if (this.#isNeeded) {
      let number = numbers.at(-1) ?? 0
      await this.#generations.retireOlder(async (older) => {
        number += 1
        numbers.push(number)
        await rename(older, this.#folder(number))
        await writeFile(join(this.#folder(number), 'pairs.jsonl'), this.#lines, { mode: 0o600 })
      })
    }
    const excess = numbers.splice(0, numbers.length - LIMITS.damagedFoldersMax)
    for (const number of excess) await rm(this.#folder(number), { recursive: true, force: true })
    this.#findings.setAside = numbers.map((number) => this.#folder(number))
    this.#isNeeded = false
    this.#lines = []
  }

  #folder(number: number): string {
    return join(this.#path, `damaged-${number}`)
  }

  async #numbers(): Promise<number[]> {
    const names = await readdir(this.#path)
    const numbers = names.map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
    return numbers.filter((number) => number > 0).sort((a, b) => a - b)
  }
}

/** Takes sound pairs over into a new LevelDB as they come. */
class Copy implements PassVisitor {
  readonly damaged: Pair[] = []
  count = 0
  readonly #target: Database
  #pairs: Pair[] = []

  constructor(target: Database) {
    this.#target = target
  }

  sound(key: string, _value: Buffer, sealed: Buffer): void {
    this.#pairs.push([key, sealed])
    this.count += 1
  }

  unsound(key: string, sealed: Buffer): void {
    if (this.damaged.length < LIMITS.damageListedMax) this.damaged.push([key, sealed])
  }

  async pause(): Promise<void> {
    const pairs = this.#pairs
    this.#pairs = []
    if (pairs.length > 0) await this.#target.copyIn(pairs)
  }
}
