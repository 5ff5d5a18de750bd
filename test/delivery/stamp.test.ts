import t from 'tap'
import { stampNow } from '../../src/delivery/stamp.ts'
import { ManualClock } from '../support/manual-clock.ts'

t.test('a stamp says what the clock believes, and how far to trust it', async (t) => {
  const clock = new ManualClock()
  t.same(stampNow(clock), { atMs: Date.UTC(2026, 5, 1), clock: 'ntp' })
  clock.jumpWall(-Date.UTC(2026, 5, 1))
  clock.trust = 'none'
  t.same(stampNow(clock), { atMs: 0, clock: 'none' })
})
