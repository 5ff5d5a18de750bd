/**
 * The damage drill: copies of a store are hurt, each in one place. Every one has to start, and
 * what its clients miss then has to be named by the relay.
 */
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyOf, type Hurt, hurt, Random } from '../store/damage.ts'
import { Cleanup } from './cleanup.ts'
import { type DamageFixture, makeFixtures } from './damage-fixture.ts'
import { judge, LOSSES, type Losses } from './damage-judge.ts'
import { DamagedRelay, type Life } from './damage-relay.ts'
import { RelayProcess } from './relay-process.ts'

export type DamageResult = {
  stores: number
  /** Relays that were not listening in time. */
  notStarted: number
  /** Relays that ended or got stuck while they were read, or left a store to be mended again. */
  failed: number
  /** Stores of which something was lost or came back, all of it named. */
  withLossesNamed: number
  /** Stores that lost anything in a table that the relay did not name. */
  silent: number
  /** Of those named, the ones that lost more than the lower bound. */
  understated: number
  /** Of all stores together. */
  readonly lost: Losses
  /** A sentence for each store that went wrong. */
  readonly remarks: string[]
}

/** Nothing here is about the disk itself, and a copy in memory is there at once. */
const MEMORY = '/dev/shm'
/** Hurt stores that are kept for whoever looks into what went wrong. */
const KEPT_MAX = 5

/** @param options.seed the first store's; the next one has the next */
export async function runDamageDrill(options: {
  readonly stores: number
  readonly seed: number
}): Promise<DamageResult> {
  const cleanup = new Cleanup()
  return cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-damage-', existsSync(MEMORY) ? MEMORY : tmpdir())
    compileOnce(folder, cleanup)
    const first = new RelayProcess({ dataDir: join(folder, 'made'), configDir: folder })
    cleanup.add(() => first.kill())
    const fixtures = await makeFixtures(first, folder)
    const relay = new DamagedRelay({ dataDir: join(folder, 'copy'), configDir: folder })
    cleanup.add(() => relay.kill())
    const result = noResult()
    for (let seed = options.seed; seed < options.seed + options.stores; seed += 1) {
      await tryStore({ relay, fixtures, seed }, result)
    }
    return result
  })
}

/** Whether every store started and no table lost anything without being named. */
export function isDamageClean({ notStarted, failed, silent }: DamageResult): boolean {
  return notStarted + failed + silent === 0
}

function noResult(): DamageResult {
  return {
    stores: 0,
    notStarted: 0,
    failed: 0,
    withLossesNamed: 0,
    silent: 0,
    understated: 0,
    lost: { users: 0, devices: 0, messages: 0, receipts: 0, returned: 0 },
    remarks: [],
  }
}

/** Every relay compiles the same sources; most of a start is that. */
function compileOnce(folder: string, cleanup: Cleanup): void {
  const name = 'NODE_COMPILE_CACHE'
  if (process.env[name] !== undefined) return
  process.env[name] = join(folder, 'compiled')
  cleanup.add(async () => {
    delete process.env[name]
  })
}

type Trial = {
  readonly relay: DamagedRelay
  readonly fixtures: readonly DamageFixture[]
  readonly seed: number
}

async function tryStore({ relay, fixtures, seed }: Trial, result: DamageResult): Promise<void> {
  const { fixture, wound } = hurtCopy(fixtures, relay.dataDir, seed)
  const life = await relay.live(fixture.passwords)
  const wrong = noted(life, fixture, result)
  if (wrong.length === 0) return
  const isKept = result.remarks.length < KEPT_MAX
  const kept = isKept ? await mkdtemp(join(tmpdir(), 'waypost-damaged-')) : undefined
  if (kept !== undefined) hurtCopy(fixtures, kept, seed)
  const place = kept === undefined ? '' : ` (kept in ${kept})`
  result.remarks.push(
    `seed ${seed}: ${fixture.how} store, ${wound.file} ${wound.how}: ${wrong.join('; ')}${place}`,
  )
}

/** Counts a life in `result`. @returns what was wrong with it */
function noted(life: Life, { owed }: DamageFixture, result: DamageResult): readonly string[] {
  result.stores += 1
  if (life.end !== 'stopped') {
    if (life.end === 'not started') result.notStarted += 1
    else result.failed += 1
    return [`${life.end}: ${life.why}`]
  }
  const { losses, silent, understated } = judge(owed, life.evidence)
  for (const kind of LOSSES) result.lost[kind] += losses[kind]
  if (silent.length > 0) result.silent += 1
  else if (LOSSES.some((kind) => losses[kind] > 0)) result.withLossesNamed += 1
  if (understated.length > 0) result.understated += 1
  return silent
}

/** The same seed hurts a copy of the same fixture in the same way. */
function hurtCopy(
  fixtures: readonly DamageFixture[],
  path: string,
  seed: number,
): { fixture: DamageFixture; wound: Hurt } {
  const random = new Random(seed)
  const fixture = random.pick(fixtures)
  return { fixture, wound: hurt(copyOf(fixture, path), random, () => true) }
}
