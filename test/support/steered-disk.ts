/** A disk and a LevelDB whose writes a test holds up, fails or fills, and whose reads it counts. */

import {
  type Database,
  type OpenDatabase,
  openDatabase,
  type PairIterator,
} from '../../src/store/database.ts'
import type { Disk, DiskSpace } from '../../src/store/disk.ts'

const TOTAL_BYTES = 1e12

export class SteeredDisk implements Disk {
  /** What LevelDB says when a write finds no room. */
  static readonly noSpace = 'IO error: 000007.log: No space left on device'

  freeBytes = 1e11
  /** Writes that are to fail, and with which text. */
  readonly failures: string[] = []
  /** Whether a write that fails reaches the disk all the same. */
  failsAfterwards = false
  /** Keys whose values are damaged on disk. */
  readonly damaged = new Set<string>()
  /** Asynchronous reads under way. */
  reads = 0
  /** Keys of the last write. */
  lastWritten: string[] = []
  #gate: PromiseWithResolvers<void> | undefined
  #readGate: PromiseWithResolvers<void> | undefined
  #held: (() => void)[] = []

  async space(): Promise<DiskSpace> {
    return { totalBytes: TOTAL_BYTES, freeBytes: this.freeBytes }
  }

  async allocate(): Promise<void> {
    // A reserve of no bytes: nothing here really runs out of room.
  }

  async free(): Promise<void> {
    // Nothing was allocated.
  }

  /** Holds every commit up from here on. */
  hold(): void {
    this.#gate ??= Promise.withResolvers()
  }

  /** Resolves when a commit is being held up. */
  held(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve))
  }

  letGo(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  /** Holds what scans bring up from here on. */
  holdReads(): void {
    this.#readGate ??= Promise.withResolvers()
  }

  letReadsGo(): void {
    this.#readGate?.resolve()
    this.#readGate = undefined
  }

  async mayRead(): Promise<void> {
    await this.#readGate?.promise
  }

  readonly open: OpenDatabase = async (folder) =>
    new SteeredDatabase(this, await openDatabase(folder))

  async passes(keys: Iterable<string>): Promise<void> {
    this.lastWritten = [...keys]
    if (this.#gate === undefined) return
    for (const resolve of this.#held.splice(0)) resolve()
    await this.#gate.promise
  }

  async during<T>(run: Promise<T>): Promise<T> {
    this.reads += 1
    try {
      return await run
    } finally {
      this.reads -= 1
    }
  }

  read(key: string, sealed: Buffer | undefined): Buffer | undefined {
    if (sealed === undefined || !this.damaged.has(key)) return sealed
    const bytes = Buffer.from(sealed)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    return bytes
  }
}

class SteeredDatabase implements Database {
  readonly #disk: SteeredDisk
  readonly #database: Database

  constructor(disk: SteeredDisk, database: Database) {
    this.#disk = disk
    this.#database = database
  }

  get(key: string): Buffer | undefined {
    return this.#disk.read(key, this.#database.get(key))
  }

  async getMany(keys: string[]): Promise<(Buffer | undefined)[]> {
    const found = await this.#disk.during(this.#database.getMany(keys))
    return found.map((sealed, at) => this.#disk.read(keys[at] ?? '', sealed))
  }

  iterate(range: Parameters<Database['iterate']>[0]): PairIterator {
    const iterator = this.#database.iterate(range)
    return {
      nextv: async (size) => {
        const pairs = await this.#disk.during(iterator.nextv(size))
        await this.#disk.mayRead()
        return pairs.map(([key, sealed]) => [key, this.#disk.read(key, sealed) ?? sealed])
      },
      close: () => iterator.close(),
    }
  }

  async write(...given: Parameters<Database['write']>): Promise<void> {
    const disk = this.#disk
    await disk.passes(given[0].keys())
    const failure = disk.failures.shift()
    if (failure === undefined || disk.failsAfterwards) {
      await this.#database.write(...given)
    }
    if (failure !== undefined) throw new Error(failure)
  }

  compact(...given: Parameters<Database['compact']>): Promise<void> {
    return this.#database.compact(...given)
  }

  copyIn(...given: Parameters<Database['copyIn']>): Promise<void> {
    return this.#database.copyIn(...given)
  }

  readTally(): ReturnType<Database['readTally']> {
    return this.#database.readTally()
  }

  readFormat(): number | undefined {
    return this.#database.readFormat()
  }

  writeFormat(format: number): Promise<void> {
    return this.#database.writeFormat(format)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}
