/**
 * What happens to a store between being closed (or killed) and being in use: its files are
 * checked, LevelDB opens links to them, the newest commit is compared with the marks, everything
 * is read through once and counted. Where any of these finds damage the store is mended.
 */
import { RelayError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database, OpenDatabase } from './database.ts'
import type { Generations } from './generations.ts'
import { inspectFolder } from './inspect.ts'
import type { Marks, MarksFound } from './marks.ts'
import { Mending } from './mending.ts'
import type { Findings } from './report.ts'
import { isNoSpace } from './rescue.ts'
import type { Tally } from './tally.ts'
import { differences, type Pass, passOver } from './verify.ts'

/** The layout of keys and values. A newer one is refused, an older one would be migrated here. */
const FORMAT = 1

/**
 * LevelDB keeps every table that was read mapped into memory. From about this many keys on it is
 * worth a second to have a fresh one after everything was read through.
 */
const MAPPED_KEYS_MIN = 50_000

export type Visit = (key: string, value: Uint8Array) => void

export class Opening {
  readonly #log: Log
  readonly #generations: Generations
  readonly #marks: Marks
  readonly #findings: Findings
  readonly #mending: Mending
  readonly #makeRoom: () => Promise<void>
  /** The newest that is known of what the store should hold. */
  #expected: Tally | undefined

  constructor(
    parts: {
      log: Log
      open: OpenDatabase
      generations: Generations
      marks: Marks
      findings: Findings
      makeRoom: () => Promise<void>
    },
    options: { path: string },
  ) {
    this.#log = parts.log
    this.#generations = parts.generations
    this.#marks = parts.marks
    this.#findings = parts.findings
    this.#makeRoom = parts.makeRoom
    this.#mending = new Mending(parts, options)
  }

  /**
   * Opens the store and visits everything sound in it.
   * @param again called before everything is visited anew
   * @returns what the store holds
   */
  async run(visit: Visit, again: () => void): Promise<Tally> {
    const marks = await this.#marks.start()
    const from = await this.#generations.find()
    this.#expected = marks.newest?.tally
    this.#findings.wasClosed = marks.newest?.isClean ?? from === 0
    this.#reportMarks(marks, from)
    let isMended = false
    if (!(await this.#open(from))) {
      await this.#mend(from)
      isMended = true
    }
    let pass = await this.#pass(visit)
    if (!isMended && from > 0 && this.#isDamaged(pass)) {
      await this.#mend(from)
      again()
      pass = await this.#pass(visit)
    }
    return this.#settle(pass)
  }

  #reportMarks(marks: MarksFound, from: number): void {
    if (marks.damaged > 0) this.#reportFile('marks: a part of it cannot be read')
    if (!marks.isThere && from > 0) this.#reportFile('marks is missing')
    if (from === 0 && marks.newest !== undefined)
      this.#reportFile('the folder of LevelDB is missing')
  }

  #reportFile(text: string): void {
    this.#findings.add({ kind: 'file', text })
  }

  /** False where the generation must not be used as it is. */
  async #open(from: number): Promise<boolean> {
    const faults = from === 0 ? [] : await inspectFolder(this.#generations.folder(from))
    for (const fault of faults) this.#reportFile(fault)
    if (faults.length > 0) return false
    try {
      await this.#openLinked(from)
    } catch (error) {
      if (from === 0 || isNoSpace(error)) throw error
      this.#reportFile(error instanceof Error ? error.message : String(error))
      return false
    }
    checkFormat(this.#generations.database)
    return from === 0 || !this.#isBehindMarks()
  }

  /** LevelDB writes when it is opened; on a full disk it needs the room that was kept for that. */
  async #openLinked(from: number): Promise<void> {
    try {
      await this.#generations.openLinked(from)
    } catch (error) {
      if (!isNoSpace(error)) throw error
      await this.#makeRoom()
      await this.#generations.openLinked(from)
    }
  }

  /** Marks are written after a commit is on disk, so they are never ahead of a whole store. */
  #isBehindMarks(): boolean {
    const marked = this.#expected?.commit ?? 0
    return (this.#generations.database.readTally()?.commit ?? 0) < marked
  }

  async #mend(from: number): Promise<void> {
    this.#expect(await this.#mending.run(from, checkFormat))
  }

  #expect(tally: Tally | undefined): void {
    if (tally === undefined || tally.commit < (this.#expected?.commit ?? 0)) return
    this.#expected = tally
  }

  #pass(visit: Visit): Promise<Pass> {
    this.#expect(this.#generations.database.readTally())
    return passOver(this.#generations.database, { sound: visit })
  }

  #isDamaged({ error, damaged, tally }: Pass): boolean {
    if (error !== undefined || damaged > 0) return true
    return this.#expected !== undefined && differences(this.#expected, tally).length > 0
  }

  /** Says what is missing, and counts from here on what is there. */
  async #settle(pass: Pass): Promise<Tally> {
    if (pass.error !== undefined) {
      throw new RelayError('STORE_FAILED', 'the store cannot be read to its end', {
        cause: pass.error,
      })
    }
    const { database } = this.#generations
    const stored = database.readTally()?.commit ?? 0
    this.#reportDifferences(pass, stored)
    const tally = pass.tally.at(Math.max(stored, this.#expected?.commit ?? 0) + 1)
    if (database.readFormat() === undefined) await database.writeFormat(FORMAT)
    await database.write(new Map(), tally)
    this.#marks.note(tally)
    await this.#mending.setAside()
    await this.#generations.settle()
    if (tally.count >= MAPPED_KEYS_MIN) await this.#generations.advance()
    this.#log.info({ keys: tally.count, commit: tally.commit }, 'the store is open')
    return tally
  }

  #reportDifferences({ tally }: Pass, stored: number): void {
    const expected = this.#expected
    if (expected === undefined) {
      if (tally.count === 0) return
      const text = 'the counts of the store are gone: whether keys are missing cannot be told'
      this.#findings.add({ kind: 'changed', text })
      return
    }
    const count = expected.commit - this.#storedAtOpening(stored)
    if (count > 0) {
      const text = `the newest ${count} commits are gone: ${expected.commit - count + 1} to ${expected.commit}`
      this.#findings.add({ kind: 'commits', count, text })
    }
    for (const damage of differences(expected, tally)) this.#findings.add(damage)
  }

  /** After mending, the commit number is that of what was found, not that of the new folder. */
  #storedAtOpening(stored: number): number {
    return this.#mending.found?.commit ?? stored
  }
}

/** A newer format must not be touched, not even to mend it. */
function checkFormat(database: Database): void {
  const format = database.readFormat()
  if (format === undefined || format <= FORMAT) return
  throw new RelayError(
    'STORE_NEWER',
    `the store has format ${format}, this relay knows up to ${FORMAT}; install the newer release again`,
  )
}
