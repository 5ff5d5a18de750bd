import t, { type Test } from 'tap'
import { Lifetimes } from '../../../src/broker/ordinary/lifetimes.ts'
import { LIMITS } from '../../../src/limits.ts'
import type { Store } from '../../../src/store/store.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { freshStore } from './rig.ts'

function lifetimesOf(store: Store, clock: ManualClock) {
  const ended: string[] = []
  const lifetimes = new Lifetimes({ store, clock, ageMs: () => clock.monotonicMs() })
  const start = (ids: string[] = []) =>
    lifetimes.start(ids, (id) => {
      ended.push(id)
      lifetimes.delete(id)
    })
  return { lifetimes, ended, start }
}

async function scene(t: Test) {
  const store = await freshStore(t)
  const clock = new ManualClock()
  return { store, clock, ...lifetimesOf(store, clock) }
}

/** What the next run of the relay finds. */
async function again(last: Lifetimes, store: Store, clock: ManualClock, ...ids: string[]) {
  last.stop()
  await store.committed()
  const next = lifetimesOf(store, clock)
  for (const id of ids) {
    const key = `lifetime/${encodeURIComponent(id)}`
    const value = store.get(key)
    if (value !== undefined) next.lifetimes.visit(key, value)
  }
  return next
}

t.test('a session ends when its time is over, not before, and not while it is here', async (t) => {
  const { clock, lifetimes, ended, start } = await scene(t)
  start()
  for (const [id, outlivesS] of [
    ['a/1', 10],
    ['a/2', 5],
    ['b/1', 7],
  ] as const) {
    lifetimes.here(id, outlivesS)
  }
  clock.advance(60_000)
  t.same(ended, [])
  for (const [id, outlivesS] of [
    ['a/1', 10],
    ['a/2', 5],
    ['b/1', 7],
  ] as const) {
    lifetimes.gone(id, { outlivesS })
  }
  clock.advance(4_999)
  t.same(ended, [])
  clock.advance(1)
  t.same(ended, ['a/2'])
  lifetimes.here('b/1', 7)
  clock.advance(5_000)
  t.same(ended, ['a/2', 'a/1'])
  t.equal(lifetimes.outlivesS('b/1'), 7)
  t.equal(lifetimes.outlivesS('a/1'), 0)
  lifetimes.stop()
  t.equal(clock.timers, 0)
})

t.test('a restart takes no time from a session, and gives it none', async (t) => {
  const { store, clock, lifetimes, start } = await scene(t)
  start()
  lifetimes.here('a/1', 10)
  lifetimes.gone('a/1', { outlivesS: 10, sentMax: 42 })
  clock.advance(4_000)
  const next = await again(lifetimes, store, clock, 'a/1')
  t.equal(next.lifetimes.sentMax('a/1'), 42)
  next.start(['a/1'])
  clock.advance(5_999)
  t.same(next.ended, [])
  clock.advance(1)
  t.same(next.ended, ['a/1'])
  const last = await again(next.lifetimes, store, clock, 'a/1')
  t.equal(last.lifetimes.outlivesS('a/1'), 0, 'forgotten')
})

t.test(
  'a session that was here when the relay was killed begins to age at the start',
  async (t) => {
    const { store, clock, lifetimes, start } = await scene(t)
    start()
    lifetimes.here('a/1', 10)
    const next = await again(lifetimes, store, clock, 'a/1')
    t.equal(next.lifetimes.sentMax('a/1'), undefined, 'nobody knows')
    next.start(['a/1', 'a/lost'])
    t.equal(next.lifetimes.outlivesS('a/lost'), LIMITS.expiresAfterSMax, 'its record was damaged')
    clock.advance(10_000)
    t.same(next.ended, ['a/1'])
  },
)

t.test('an account has a bounded number of sessions; the one left for longest ends', async (t) => {
  const { clock, lifetimes, start } = await scene(t)
  start()
  for (let at = 0; at < LIMITS.sessionsPerAccountMax; at += 1) {
    t.equal(lifetimes.here(`a/${at}`, 60), undefined)
  }
  lifetimes.here('b/1', 60)
  t.equal(lifetimes.here('a/one more', 60), undefined, 'nobody has left')
  for (const id of ['a/7', 'a/3']) {
    lifetimes.gone(id, { outlivesS: 60 })
    clock.advance(1)
  }
  t.equal(lifetimes.here('a/one more', 60), 'a/7')
  lifetimes.delete('a/7')
  t.equal(lifetimes.here('a/one more', 60), undefined)
  t.equal(lifetimes.here('a/two more', 60), 'a/3')
})

t.test('those who sign in without a name have more of them, together', async (t) => {
  const { lifetimes, start } = await scene(t)
  start()
  for (let at = 0; at < LIMITS.anonymousSessionsMax; at += 1) {
    if (lifetimes.here(`/${at}`, 60) !== undefined) t.fail(`${at}`)
  }
  lifetimes.gone('/7', { outlivesS: 60 })
  t.equal(lifetimes.here('/one more', 60), '/7')
})
