/** A store in a folder of its own, with a disk and a clock that the test steers. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { RelayError } from '../../src/errors.ts'
import type { OfferWaiter } from '../../src/store/batch.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Store } from '../../src/store/store.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { SteeredDisk } from '../support/steered-disk.ts'

export class Rig {
  readonly path: string
  readonly clock = new ManualClock()
  readonly disk = new SteeredDisk()
  readonly log = new KeptLog()
  readonly #t: Test

  constructor(t: Test, path = join(t.testdir(), 'store')) {
    this.#t = t
    this.path = path
  }

  /** A started store; stopped when the test ends. */
  async start(visited = new Map<string, string>()): Promise<Store> {
    const { clock, disk, log, path } = this
    const store = new Store({ clock, log, disk, open: disk.open }, { path })
    this.#t.teardown(() => store.stop())
    await store.start(
      (key, value) => visited.set(key, text(value) ?? ''),
      () => visited.clear(),
    )
    return store
  }

  /** What a store finds that is started anew. */
  async contents(): Promise<Record<string, string>> {
    const visited = new Map<string, string>()
    await (await this.start(visited)).stop()
    return Object.fromEntries(visited)
  }

  /** Lets time pass while timers and the disk take turns, until `isDone`. */
  async passUntil(isDone: () => boolean, stepMs = 100): Promise<void> {
    while (!isDone()) {
      this.clock.advance(stepMs)
      await turn()
    }
  }
}

/** Everything that is due in this turn of the loop has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function bytes(value: string): Uint8Array {
  return Buffer.from(value)
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString()
}

/** Keeps what it is told. */
export class KeptWaiter implements OfferWaiter {
  told = ''

  committed(): void {
    this.told += 'committed'
  }

  refused(error: RelayError): void {
    this.told += error.code
  }
}

/** The code of what a call throws. */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'nothing thrown'
  } catch (error) {
    return error instanceof RelayError ? error.code : String(error)
  }
}

/** A LevelDB folder with `count` pairs under `entry/`, the first half in a table, the rest in a log. */
export async function makeLevelFolder(folder: string, count: number): Promise<Map<string, string>> {
  const { keySum, seal } = await import('../../src/store/seal.ts')
  const expected = new Map<string, string>()
  for (const half of [0, 1]) {
    const database = await openDatabase(folder)
    for (let at = 0; at < count / 2; at += 1) {
      const key = `entry/${half}-${String(at).padStart(5, '0')}`
      const value = `value ${at} `.repeat(1 + (at % 30))
      await database.copyIn([[key, seal(keySum(key), Buffer.from(value))]])
      expected.set(key, value)
    }
    await database.close()
  }
  return expected
}
