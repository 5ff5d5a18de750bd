import t, { type Test } from 'tap'
import { LossNotice } from '../../../src/broker/ordinary/loss-notice.ts'
import { Retained } from '../../../src/broker/ordinary/retained.ts'
import { RetainedRuns } from '../../../src/broker/ordinary/retained-runs.ts'
import { LIMITS } from '../../../src/limits.ts'
import { KeptLog } from '../../support/kept-log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { freshStore, message } from './rig.ts'

const GRANT = { qos: 1, isAsPublished: false, identifiers: [3] } as const

async function scene(t: Test) {
  const clock = new ManualClock()
  const log = new KeptLog()
  const refused = new LossNotice({ clock, log }, { text: 'refused' })
  const retained = new Retained({ store: await freshStore(t), refused }, LIMITS)
  let loaded = Promise.withResolvers<void>()
  const runs = new RetainedRuns({
    retained,
    clock,
    log,
    ageMs: () => clock.monotonicMs(),
    loaded: () => {
      const { resolve } = loaded
      loaded = Promise.withResolvers()
      resolve()
    },
  })
  /** All that comes, as the reader asks for it. */
  const drain = async () => {
    const got: string[] = []
    for (;;) {
      const next = runs.next()
      if (next !== undefined) {
        got.push(`${next.topic} ${next.qos}`)
        t.match(next, { isRetained: true, identifiers: [3] })
        continue
      }
      if (!runs.isReading) return got
      await loaded.promise
    }
  }
  return { clock, log, retained, runs, drain, loaded: () => loaded.promise }
}

t.test('all that a filter matches comes, over several pages, with the lower QoS', async (t) => {
  const { retained, runs, drain } = await scene(t)
  const count = 2 * LIMITS.readAheadMax + 1
  for (let at = 0; at < count; at += 1) {
    retained.set(message(`a/${at}`, 'x', { qos: at === 0 ? 0 : 2 }))
  }
  runs.add('a/#', GRANT)
  const got = await drain()
  t.equal(got.length, count)
  t.same(got.slice(0, 2), ['a/0 0', 'a/1 1'])
})

t.test('filters come one after the other; one asked for again begins anew', async (t) => {
  const { retained, runs, drain } = await scene(t)
  for (const topic of ['a', 'b']) retained.set(message(topic, 'x'))
  runs.add('a', GRANT)
  runs.add('b', GRANT)
  runs.add('a', GRANT)
  t.same(await drain(), ['b 1', 'a 1'])
})

t.test('of a filter that was left nothing comes, nor to a client that has gone', async (t) => {
  const { retained, runs, drain, loaded } = await scene(t)
  for (const topic of ['a', 'b']) retained.set(message(topic, 'x'))
  runs.add('a', GRANT)
  t.equal(runs.next(), undefined)
  runs.delete('a')
  await loaded()
  runs.add('b', GRANT)
  t.same(await drain(), ['b 1'])
  runs.add('a', GRANT)
  runs.clear()
  t.same(await drain(), [])
})

t.test('what has expired is forgotten', async (t) => {
  const { clock, retained, runs, drain } = await scene(t)
  retained.set(message('a', 'x', { deadlineMs: 1_000 }))
  retained.set(message('b', 'x', { deadlineMs: 1_001 }))
  clock.advance(1_000)
  runs.add('#', GRANT)
  t.same(await drain(), ['b 1'])
  t.equal(retained.size, 1)
})

t.test('what cannot be read is told, and read again', async (t) => {
  const { clock, log, retained, runs, drain, loaded } = await scene(t)
  retained.set(message('a', 'x'))
  const read = retained.read.bind(retained)
  retained.read = () => Promise.reject(new Error('no'))
  runs.add('a', GRANT)
  t.equal(runs.next(), undefined)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(log.lines.length, 1)
  retained.read = read
  const again = loaded()
  clock.advance(LIMITS.drainRetryMs)
  await again
  t.same(await drain(), ['a 1'])
})
