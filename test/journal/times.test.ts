import type { Test } from 'tap'
import t from 'tap'
import { HybridClock } from '../../src/clock.ts'
import { Times } from '../../src/journal/times.ts'
import { LIMITS } from '../../src/limits.ts'
import { Rig } from '../delivery/rig.ts'

async function fresh(t: Test) {
  const { store, clock } = await Rig.open(t)
  store.remove('meta/times')
  const open = (seen = { seq: 0, stamp: 0 }) => {
    const times = new Times({ store, clock })
    times.start(seen)
    return times
  }
  return { store, clock, open, stamps: new HybridClock(clock, 0) }
}

t.test('numbers begin at one and never repeat, also after a crash', async (t) => {
  const { open, stamps } = await fresh(t)
  const first = open()
  t.same([first.nextSeq(stamps), first.nextSeq(stamps)], [1, 2])
  const second = open()
  const next = second.nextSeq(stamps)
  t.equal(next, 1 + LIMITS.seqBlock + 1, 'the rest of the block is left out')
})

t.test('after an orderly end no number is left out', async (t) => {
  const { open, stamps } = await fresh(t)
  const first = open()
  first.nextSeq(stamps)
  first.finish(stamps)
  t.equal(open().nextSeq(stamps), 2)
})

t.test('a block costs one write, whatever is taken from it', async (t) => {
  const { store, open, stamps } = await fresh(t)
  const times = open()
  times.nextSeq(stamps)
  const written = store.get('meta/times')
  for (let taken = 1; taken <= LIMITS.seqBlock; taken += 1) times.nextSeq(stamps)
  t.same(store.get('meta/times'), written)
  times.nextSeq(stamps)
  t.notSame(store.get('meta/times'), written)
})

t.test('numbers seen in the store are not used again where the note of them is lost', async (t) => {
  const { open, stamps } = await fresh(t)
  t.equal(open({ seq: 77, stamp: 0 }).nextSeq(stamps), 78)
})

t.test('age counts running time, over restarts, whatever the wall clock says', async (t) => {
  const { clock, open, stamps } = await fresh(t)
  const first = open()
  t.equal(first.ageMs(), 0)
  clock.advance(1_500)
  clock.jumpWall(-1e12)
  t.equal(first.ageMs(), 1_500)
  first.finish(stamps)
  clock.advance(99_000)
  const second = open()
  t.equal(second.ageMs(), 1_500, 'time between two runs does not count')
  clock.advance(500)
  second.save(stamps)
  clock.advance(700)
  t.equal(open().ageMs(), 2_000, 'after a crash it goes on from the last save')
})

t.test('age is whole milliseconds', async (t) => {
  const { clock, open } = await fresh(t)
  const times = open()
  clock.advance(0.7)
  t.equal(times.ageMs(), 0)
  clock.advance(0.7)
  t.equal(times.ageMs(), 1)
})

t.test('the highest stamp is known at the next start', async (t) => {
  const { clock, open, stamps } = await fresh(t)
  const first = open()
  const stamp = stamps.next()
  first.finish(stamps)
  clock.jumpWall(-1e12)
  t.equal(open().stampAtStart, stamp)
  t.equal(open({ seq: 0, stamp: stamp + 5 }).stampAtStart, stamp + 5)
})
