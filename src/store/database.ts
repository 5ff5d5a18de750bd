/**
 * One open LevelDB folder, with sealed values going in and out. Who writes when, and what
 * happens when a write fails, is decided in `group-commit.ts`.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Change } from './batch.ts'
import { isCode } from './folder.ts'
import type { KeyRange } from './keys.ts'
import { keySum, seal, unseal } from './seal.ts'
import { parseTally, type Tally } from './tally.ts'

/** Keys of the store itself: never counted, never shown to those above. */
const TALLY_KEY = 'meta/tally'
const FORMAT_KEY = 'meta/format'

const KIB = 1024
const MIB = 1024 * KIB

/** What LevelDB takes off for its own files before it counts tables. */
const OTHER_FILES = 10

/**
 * For a board with 512 MB of memory and an SD card.
 * - writeBufferSize: LevelDB holds up to two of these in memory, and reads one back at start.
 * - cacheSize: the drain reads forward, so a large cache would only hold what was just sent.
 * - maxFileSize: tables are mapped into memory, and what a compaction has read of them counts
 *   as ours until it ends, up to 25 of them. Twice as large took 24 MiB more with a million
 *   messages, for a twentieth more speed.
 * - maxOpenFiles: without it memory follows what is stored, up to a thousand tables.
 * - compression: a card is slower than the processor; Snappy also saves wear.
 */
const LEVEL_OPTIONS = {
  keyEncoding: 'utf8',
  valueEncoding: 'buffer',
  writeBufferSize: 6 * MIB,
  cacheSize: 1 * MIB,
  maxFileSize: 1 * MIB,
  maxOpenFiles: LIMITS.openTablesMax + OTHER_FILES,
  compression: true,
} as const

/** Bytes that an iterator reads ahead; more make a scan faster until about here. */
const READ_AHEAD_BYTES = 256 * KIB

export type Pair = [key: string, sealed: Buffer]

export interface PairIterator {
  /** The next pairs, at most `size`; none at the end. */
  nextv(size: number): Promise<Pair[]>
  close(): Promise<void>
}

/** One open LevelDB folder, or what a test puts in its place. */
export interface Database {
  /** The sealed value. */
  get(key: string): Buffer | undefined
  getMany(keys: string[]): Promise<(Buffer | undefined)[]>
  /** Pairs as they are at this moment. Closing the database ends it. */
  iterate(range: Partial<KeyRange> & { reverse?: boolean }): PairIterator
  /** Writes all changes and the tally or nothing, and resolves when they are on disk. */
  write(changes: ReadonlyMap<string, Change>, tally: Tally): Promise<void>
  /** Rewrites the files that hold keys of this range, without what was removed. */
  compact(range: KeyRange): Promise<void>
  /** Writes sealed pairs that may be lost with the machine. */
  copyIn(pairs: readonly Pair[]): Promise<void>
  readTally(): Tally | undefined
  readFormat(): number | undefined
  writeFormat(format: number): Promise<void>
  close(): Promise<void>
}

export type OpenDatabase = (folder: string) => Promise<Database>

/** The tally, where this pair is the one that holds it. */
export function tallyIn(key: string, value: Buffer): Tally | undefined {
  return key === TALLY_KEY ? parseTally(value.toString()) : undefined
}

/** Whether a key belongs to the store itself. */
export function isOwnKey(key: string): boolean {
  return key === TALLY_KEY || key === FORMAT_KEY
}

/**
 * Opens a LevelDB folder and makes it where there is none.
 * @throws STORE_LOCKED, STORE_FAILED
 */
export async function openDatabase(folder: string): Promise<Database> {
  const level = new Level<string, Buffer>(folder, LEVEL_OPTIONS)
  try {
    await level.open()
  } catch (error) {
    throw openError(folder, error)
  }
  return new LevelDatabase(level)
}

/** LevelDB's own rescue: a new MANIFEST from whatever files there are. */
export async function repairFolder(folder: string): Promise<void> {
  // Left out of the types of `level`, which are those of browsers, too.
  const { repair } = Level as unknown as { repair(folder: string): Promise<void> }
  await repair(folder)
}

class LevelDatabase implements Database {
  readonly #level: Level<string, Buffer>

  constructor(level: Level<string, Buffer>) {
    this.#level = level
  }

  get(key: string): Buffer | undefined {
    return this.#level.getSync(key)
  }

  getMany(keys: string[]): Promise<(Buffer | undefined)[]> {
    return this.#level.getMany(keys)
  }

  iterate(range: Partial<KeyRange> & { reverse?: boolean }): PairIterator {
    return this.#level.iterator({
      ...range,
      highWaterMarkBytes: READ_AHEAD_BYTES,
      fillCache: false,
    })
  }

  async write(changes: ReadonlyMap<string, Change>, tally: Tally): Promise<void> {
    // A chained batch costs a quarter less than an array of operations.
    const batch = this.#level.batch()
    changes.forEach(({ sealed }, key) => {
      if (sealed === null) batch.del(key)
      else batch.put(key, sealed)
    })
    batch.put(TALLY_KEY, sealedText(TALLY_KEY, tally.toString()))
    await batch.write({ sync: true })
  }

  async compact({ gte, lt }: KeyRange): Promise<void> {
    // Left out of the types of `level`, as `repair` is.
    const level = this.#level as unknown as {
      compactRange(from: string, to: string): Promise<void>
    }
    await level.compactRange(gte, lt)
  }

  async copyIn(pairs: readonly Pair[]): Promise<void> {
    const batch = this.#level.batch()
    for (const [key, sealed] of pairs) batch.put(key, sealed)
    await batch.write()
  }

  readTally(): Tally | undefined {
    const text = this.#readText(TALLY_KEY)
    return text === undefined ? undefined : parseTally(text)
  }

  readFormat(): number | undefined {
    const text = this.#readText(FORMAT_KEY)
    return text === undefined ? undefined : Number(text)
  }

  async writeFormat(format: number): Promise<void> {
    await this.#level.put(FORMAT_KEY, sealedText(FORMAT_KEY, String(format)), { sync: true })
  }

  #readText(key: string): string | undefined {
    const sealed = this.get(key)
    return sealed === undefined ? undefined : unseal(key, sealed)?.toString()
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

function sealedText(key: string, text: string): Buffer {
  return seal(keySum(key), Buffer.from(text))
}

/**
 * Holds a folder for this process alone, by the lock that LevelDB takes and the kernel releases.
 * The LevelDB in it is always empty.
 * @throws STORE_LOCKED, STORE_FAILED
 */
export async function takeLock(folder: string): Promise<{ release(): Promise<void> }> {
  const level = new Level<string, Buffer>(folder, { writeBufferSize: 64 * KIB, cacheSize: 0 })
  try {
    await level.open().catch(async (error: unknown) => {
      if (isLocked(error)) throw error
      await emptyLockFolder(folder)
      await level.open()
    })
  } catch (error) {
    throw openError(folder, error)
  }
  return { release: () => level.close() }
}

/** Damage in a folder that holds nothing does no harm. The file that is locked has to stay. */
async function emptyLockFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== 'LOCK') await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && isCode(error.cause, 'LEVEL_LOCKED')
}

function openError(folder: string, error: unknown): RelayError {
  if (isLocked(error)) {
    return new RelayError(
      'STORE_LOCKED',
      `${folder} is in use by another process; stop that relay first, or give this one another data_dir`,
      { cause: error },
    )
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RelayError('STORE_FAILED', `LevelDB cannot open ${folder}: ${why}`, { cause: error })
}
