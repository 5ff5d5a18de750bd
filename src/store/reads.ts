/**
 * Reads that see what is not on disk yet, check every value, and do not notice when LevelDB is
 * opened again meanwhile.
 */
import { RelayError } from '../errors.ts'
import type { Database, PairIterator } from './database.ts'
import type { Generations } from './generations.ts'
import { type KeyRange, tableOf } from './keys.ts'
import type { Overlays, Reader } from './overlays.ts'
import type { Findings } from './report.ts'
import { unseal } from './seal.ts'

export type Scan = KeyRange & { readonly limit: number; readonly reverse?: boolean }

export class Reads {
  readonly #generations: Generations
  readonly #overlays: Overlays
  readonly #findings: Findings

  constructor(parts: { generations: Generations; overlays: Overlays; findings: Findings }) {
    this.#generations = parts.generations
    this.#overlays = parts.overlays
    this.#findings = parts.findings
  }

  get(key: string): Buffer | undefined {
    const pending = this.#overlays.pending(key)
    if (pending !== undefined) return pending ?? undefined
    const sealed = this.#getSealed(key)
    if (sealed === undefined) return undefined
    const value = this.#unseal(key, sealed)
    if (value === undefined) {
      throw new RelayError(
        'STORE_DAMAGED',
        `the value of ${JSON.stringify(key)} is damaged on disk`,
      )
    }
    return value
  }

  #getSealed(key: string): Buffer | undefined {
    const { database } = this.#generations
    try {
      return database.get(key)
    } catch (error) {
      throw readError(error)
    }
  }

  getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#read((database, reader) => this.#getMany(keys, database, reader))
  }

  async #getMany(keys: readonly string[], database: Database, reader: Reader) {
    const places = new Map<string, number>()
    for (const key of keys) {
      if (this.#overlays.pending(key) === undefined && !places.has(key))
        places.set(key, places.size)
    }
    const found = places.size === 0 ? [] : await database.getMany([...places.keys()])
    return keys.map((key) => {
      const pending = this.#overlays.pendingFor(reader, key)
      if (pending !== undefined) return pending ?? undefined
      const sealed = found[places.get(key) ?? -1]
      return sealed === undefined ? undefined : this.#unseal(key, sealed)
    })
  }

  scan(scan: Scan): Promise<[string, Buffer][]> {
    return this.#read(async (database, reader) => {
      const { gte, lt, reverse = false } = scan
      const iterator = database.iterate({ gte, lt, reverse })
      try {
        return await this.#gather(iterator, reader, scan.limit)
      } finally {
        await iterator.close()
      }
    })
  }

  /** Reads on until `limit` pairs are left after all that has changed while reading. */
  async #gather(
    iterator: PairIterator,
    reader: Reader,
    limit: number,
  ): Promise<[string, Buffer][]> {
    let pairs: [string, Buffer][] = []
    while (pairs.length < limit) {
      const more = await iterator.nextv(limit - pairs.length)
      for (const [key, sealed] of more) {
        const value = this.#unseal(key, sealed)
        if (value !== undefined) pairs.push([key, value])
      }
      pairs = this.#asOfNow(pairs, reader)
      if (more.length === 0) break
    }
    return pairs
  }

  #asOfNow(pairs: [string, Buffer][], reader: Reader): [string, Buffer][] {
    const kept: [string, Buffer][] = []
    for (const pair of pairs) {
      const pending = this.#overlays.pendingFor(reader, pair[0])
      if (pending === undefined) kept.push(pair)
      else if (pending !== null) kept.push([pair[0], pending])
    }
    return kept
  }

  async #read<T>(run: (database: Database, reader: Reader) => Promise<T>): Promise<T> {
    for (;;) {
      const { database } = this.#generations
      const reader = this.#overlays.enter()
      try {
        return await run(database, reader)
      } catch (error) {
        // A read that lost its LevelDB to a fresh one begins again; any other error is told.
        if (!this.#generations.isOpen || this.#generations.database === database)
          throw readError(error)
      } finally {
        this.#overlays.leave(reader)
      }
    }
  }

  #unseal(key: string, sealed: Buffer): Buffer | undefined {
    const value = unseal(key, sealed)
    if (value === undefined) this.#findings.addPair(key, tableOf(key))
    return value
  }
}

function readError(cause: unknown): RelayError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const code = why.startsWith('Corruption') ? 'STORE_DAMAGED' : 'STORE_FAILED'
  return new RelayError(code, `the store cannot be read: ${why}`, { cause })
}
