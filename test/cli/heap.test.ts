import t from 'tap'
import { QuietCollector } from '../../src/cli/heap.ts'
import { LIMITS } from '../../src/limits.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A process whose work and size the test decides. */
function scene() {
  const clock = new ManualClock()
  const now = { cpuMs: 0, bytes: 100, collections: 0 }
  const collector = new QuietCollector({
    clock,
    cpuMs: () => now.cpuMs,
    residentBytes: () => now.bytes,
    collect: () => {
      now.collections += 1
      now.bytes = 150
    },
  })
  collector.start()
  clock.advance(LIMITS.quietMs)
  return { clock, now }
}

t.test('a quiet process that has grown is made small once', async (t) => {
  const { clock, now } = scene()
  now.bytes += LIMITS.heapSlackBytes + 1
  clock.advance(3 * LIMITS.quietMs)
  t.equal(now.collections, 1)
})

t.test('at the bound of growth nothing is done', async (t) => {
  const { clock, now } = scene()
  now.bytes += LIMITS.heapSlackBytes
  clock.advance(LIMITS.quietMs)
  t.equal(now.collections, 0)
})

t.test('a process at work is left alone', async (t) => {
  const { clock, now } = scene()
  now.bytes += LIMITS.heapSlackBytes + 1
  now.cpuMs += LIMITS.quietMs
  clock.advance(LIMITS.quietMs)
  t.equal(now.collections, 0)
})
