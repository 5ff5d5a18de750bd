/** Makes stores and hurts them, for the tests of what a store notices. */
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { tableOf } from '../../src/store/keys.ts'
import { readMarks } from '../../src/store/marks.ts'
import { Store, type StoreReport } from '../../src/store/store.ts'
import type { Tally } from '../../src/store/tally.ts'

const MARK_MS_MAX = 10_000

const ignore = (): void => undefined
export const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** A small generator (mulberry32), so that a seed is a test. */
export class Random {
  #state: number

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#state = Math.imul(seed + 1, 0x9e3779b1)
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)))
  }
}

export type Model = Map<string, string>

/** A stopped store, or one whose files are as a killed process leaves them, and what is in it. */
export type Fixture = { readonly path: string; readonly model: Model; readonly isKilled: boolean }

export async function startStore(path: string): Promise<{ store: Store; visited: Model }> {
  const store = new Store({ clock: systemClock, log: silent }, { path })
  const visited: Model = new Map()
  await store.start(
    (key, value) => visited.set(key, Buffer.from(value).toString('base64')),
    () => visited.clear(),
  )
  return { store, visited }
}

/** A store with a few thousand pairs in several files, after `rounds` runs with many commits. */
export async function makeFixture(
  folder: string,
  random: Random,
  options: { rounds: number; isKilled: boolean },
): Promise<Fixture> {
  const path = join(folder, `made-${options.rounds}-${options.isKilled}`)
  const model: Model = new Map()
  for (let round = 1; round <= options.rounds; round += 1) {
    const { store } = await startStore(path)
    for (let commit = 0; commit < 30; commit += 1) {
      for (let write = 0; write < 40; write += 1) writeOne(store, model, random)
      await store.committed()
    }
    if (round === options.rounds && options.isKilled) {
      const killed = join(folder, `killed-${options.rounds}`)
      await marked(path, ({ commit }) => commit === store.stats.commit)
      cpSync(path, killed, { recursive: true })
      await store.stop()
      return { path: killed, model, isKilled: true }
    }
    await store.stop()
  }
  return { path, model, isKilled: false }
}

/** The mark follows its commit within a moment; a process killed before that is another test. */
export async function marked(path: string, isNewest: (tally: Tally) => boolean): Promise<void> {
  const untilMs = performance.now() + MARK_MS_MAX
  for (;;) {
    const mark = readMarks(readFileSync(join(path, 'marks'))).newest
    if (mark !== undefined && isNewest(mark.tally)) return
    if (performance.now() > untilMs) throw new Error(`no mark of the newest commit in ${path}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const TABLES = ['entry', 'box', 'record', 'state']

function writeOne(store: Store, model: Model, random: Random): void {
  const key = `${random.pick(TABLES)}/${random.below(1_500).toString(36).padStart(5, '0')}`
  const isThere = model.has(key)
  if (isThere && random.below(3) === 0) {
    store.remove(key)
    model.delete(key)
    return
  }
  const value = random.bytes(40 + random.below(200))
  store.put(key, value)
  model.set(key, value.toString('base64'))
}

export type Hurt = { readonly file: string; readonly how: string }

/** The reserve holds nothing, and is large. */
const isOfUse = (name: string): boolean => !name.includes('reserve')

/**
 * Flips a bit of, cuts, or zeroes a range in one file somewhere under `path`.
 * @param mayHurt which files, by their path below it
 */
export function hurt(path: string, random: Random, mayHurt = isOfUse): Hurt {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => mayHurt(name) && statSync(join(path, name)).isFile())
    .filter((name) => statSync(join(path, name)).size > 0)
    .sort()
  const kinds = [/\.ldb$/, /pairs-\d+\/\d+\.log$/, /pairs-\d+\/MANIFEST/, /./]
  const kind = random.pick(kinds)
  const some = files.filter((name) => kind.test(name))
  const file = random.pick(some.length > 0 ? some : files)
  return { file, how: hurtFile(join(path, file), random) }
}

function hurtFile(file: string, random: Random): string {
  const bytes = readFileSync(file)
  const at = random.below(bytes.length)
  switch (random.below(4)) {
    case 0: {
      const left = random.below(2) === 0 ? at : Math.max(0, bytes.length - 1 - random.below(40))
      truncateSync(file, left)
      return `cut to ${left} of ${bytes.length} bytes`
    }
    case 1: {
      const end = Math.min(bytes.length, at + 1 + random.below(4_096))
      bytes.fill(0, at, end)
      writeFileSync(file, bytes)
      return `zeroed from ${at} to ${end}`
    }
    default: {
      const bit = random.below(8)
      bytes[at] = (bytes[at] as number) ^ (1 << bit)
      writeFileSync(file, bytes)
      return `bit ${bit} of byte ${at} flipped`
    }
  }
}

export type Outcome = {
  readonly missing: number
  readonly returned: number
  readonly changed: number
  readonly announced: number
  /** What was lost without a word; empty is good. */
  readonly silent: string[]
}

/** Starts a hurt copy and compares what it holds and says with what it should hold. */
export async function startHurt(path: string, model: Model): Promise<Outcome> {
  const { store, visited } = await startStore(path)
  const silentLosses: string[] = []
  const { report } = store
  let missing = 0
  let changed = 0
  for (const [key, value] of model) {
    const found = visited.get(key)
    if (found === undefined) {
      missing += 1
      if (!tells(report, tableOf(key), ['missing', 'changed', 'returned']))
        silentLosses.push(`${key} missing`)
    } else if (found !== value) {
      changed += 1
      if (!tells(report, tableOf(key), ['file', 'pair'])) silentLosses.push(`${key} changed`)
    }
  }
  let returned = 0
  for (const [key, value] of visited) {
    if (!model.has(key)) {
      returned += 1
      if (!tells(report, tableOf(key), ['missing', 'changed', 'returned']))
        silentLosses.push(`${key} back`)
    }
    const got = store.get(key)
    if (got === undefined || Buffer.from(got).toString('base64') !== value)
      silentLosses.push(`${key} hidden`)
  }
  store.put('box/after', Buffer.from('still takes writes'))
  await store.stop()
  const announced = report.damages.length + report.unlisted
  return { missing, returned, changed, announced, silent: silentLosses }
}

function tells(report: StoreReport, table: string, kinds: string[]): boolean {
  return report.damages.some(
    (damage) =>
      damage.kind === 'commits' ||
      (kinds.includes(damage.kind) && (damage.table === undefined || damage.table === table)),
  )
}

export function copyOf(fixture: Pick<Fixture, 'path'>, path: string): string {
  rmSync(path, { recursive: true, force: true })
  cpSync(fixture.path, path, { recursive: true })
  return path
}
