import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import type { Database } from '../../src/store/database.ts'
import { Generations } from '../../src/store/generations.ts'
import { Findings } from '../../src/store/report.ts'
import { isNoSpace, pauseMs, Rescue } from '../../src/store/rescue.ts'
import { Space } from '../../src/store/space.ts'
import { Tally } from '../../src/store/tally.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { SteeredDisk } from '../support/steered-disk.ts'
import { codeOf, turn } from './rig.ts'

/** Generations whose fresh LevelDB can be opened after some failures, and then holds a commit. */
class Pretended extends Generations {
  tries = 0
  failures: Error[] = []
  commit = 0

  override async advance(): Promise<void> {
    this.tries += 1
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
  }

  override get database(): Database {
    return { readTally: () => new Tally(this.commit) } as Database
  }
}

function parts(t: Test) {
  const [clock, disk, log] = [new ManualClock(), new SteeredDisk(), new KeptLog()]
  const path = t.testdir()
  const space = new Space({ clock, disk, log }, { folder: path, reserve: 'reserve' })
  const generations = new Pretended({ open: disk.open }, { path })
  const findings = new Findings({ log })
  const rescue = new Rescue({ clock, log, generations, space, findings })
  rescue.start()
  return { clock, space, generations, findings, rescue }
}

const noSpace = new Error('IO error: 000007.log: No space left on device')

t.test('the first try follows at once, later ones wait longer, up to a bound', async (t) => {
  t.same([1, 2, 3, 4].map(pauseMs), [0, 100, 200, 400])
  t.equal(pauseMs(100), LIMITS.reopenMsMax)
})

t.test('a full disk is known by what LevelDB says, also inside another error', async (t) => {
  t.ok(isNoSpace(noSpace))
  t.ok(isNoSpace(new Error('cannot open', { cause: noSpace })))
  t.notOk(isNoSpace(new Error('IO error: Input/output error')))
  t.notOk(isNoSpace(undefined))
})

t.test('it looks whether the commit had landed', async (t) => {
  const { generations, rescue, findings } = parts(t)
  generations.commit = 7
  t.equal(await rescue.run(new Error('EIO'), 7), 'landed')
  rescue.succeeded()
  generations.commit = 6
  t.equal(await rescue.run(new Error('EIO'), 7), 'lost')
  t.equal(findings.damages.length, 0)
})

t.test('commits that were on disk and are gone are reported', async (t) => {
  const { generations, rescue, findings } = parts(t)
  generations.commit = 3
  t.equal(await rescue.run(new Error('EIO'), 7), 'lost')
  t.match(findings.damages, [{ kind: 'commits', count: 3 }])
})

t.test('it tries until it succeeds, and a success ends the waiting', async (t) => {
  const { clock, generations, rescue } = parts(t)
  generations.failures = [1, 2, 3, 4].map(() => new Error('EIO'))
  const outcome = rescue.run(new Error('EIO'), 1)
  await turn()
  t.equal(generations.tries, 1)
  for (const ms of [100, 200, 400, 800]) {
    clock.advance(ms - 1)
    await turn()
    const before = generations.tries
    clock.advance(1)
    await turn()
    t.equal(generations.tries, before + 1)
  }
  t.equal(await outcome, 'lost')
  rescue.succeeded()
  generations.tries = 0
  await rescue.run(new Error('EIO'), 1)
  t.equal(generations.tries, 1)
})

t.test('a full disk is told to who watches the space', async (t) => {
  const { rescue, space } = parts(t)
  await rescue.run(noSpace, 1)
  t.ok(space.isFull)
  await space.stop()
})

t.test('it ends when the store is given up', async (t) => {
  const { generations, rescue, clock } = parts(t)
  generations.failures = [1, 2, 3].map(() => new Error('EIO'))
  const outcome = rescue.run(new Error('EIO'), 1)
  await turn()
  rescue.stop()
  t.equal(await outcome, 'stopped')
  t.equal(clock.timers, 0)
})

t.test(
  'damage that LevelDB finds while it works ends the process, so that a start mends it',
  async (t) => {
    const { rescue, clock } = parts(t)
    const corruption = new Error('Corruption: bad block contents')
    for (let times = 1; times <= 3; times += 1) {
      const outcome = rescue.run(corruption, 1)
      await turn()
      clock.advance(1_000)
      t.equal(await outcome, 'lost')
    }
    t.equal(await codeOf(() => rescue.run(corruption, 1)), 'STORE_DAMAGED')
  },
)
