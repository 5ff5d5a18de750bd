import t from 'tap'
import { HybridClock, systemClock } from '../src/clock.ts'
import { ManualClock } from './support/manual-clock.ts'

t.test('stamps follow the wall clock', async (t) => {
  const clock = new ManualClock()
  const stamps = new HybridClock(clock, 0)
  t.equal(Math.floor(stamps.next() / 1024), clock.wallMs())
  clock.advance(5)
  t.equal(stamps.next(), clock.wallMs() * 1024)
  t.equal(stamps.last, clock.wallMs() * 1024)
})

t.test('every stamp is greater than the one before, whatever the clock does', async (t) => {
  const clock = new ManualClock()
  const stamps = new HybridClock(clock, 0)
  let last = 0
  for (const jumpMs of [0, 0, -1e12, 5, -1, 1e12, -1e12, 0.3]) {
    clock.jumpWall(jumpMs)
    for (let at = 0; at < 3; at += 1) {
      const stamp = stamps.next()
      t.ok(stamp > last && Number.isSafeInteger(stamp))
      last = stamp
    }
  }
})

t.test('a clock goes on above what the store has seen', async (t) => {
  const future = Date.UTC(2200, 0, 1) * 1024
  const stamps = new HybridClock(new ManualClock(), future)
  t.equal(stamps.next(), future + 1)
  t.ok(Number.isSafeInteger(future + 1))
})

t.test('the machine’s clock goes on, and trusts no date before its own making', async (t) => {
  const before = systemClock.monotonicMs()
  await new Promise<void>((resolve) => {
    // A timer of the clock does not keep a process alive; this test does.
    const alive = setInterval(() => undefined, 1_000)
    systemClock.after(1, () => {
      clearInterval(alive)
      resolve()
    })
  })
  t.ok(systemClock.monotonicMs() > before)
  t.ok(systemClock.wallMs() > Date.UTC(2026, 0, 1))
  t.ok(['device', 'ntp'].includes(systemClock.quality()))
})

t.test('a timer that is taken back does not run', async (t) => {
  const cancel = systemClock.after(0, () => t.fail('it ran'))
  cancel()
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.pass()
})
