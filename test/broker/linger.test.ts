import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { cutLater } from '../../src/broker/linger.ts'
import { LIMITS } from '../../src/limits.ts'
import { ManualClock } from '../support/manual-clock.ts'

t.test('a stream that does not close is cut when its time is over, not before', async (t) => {
  const clock = new ManualClock()
  let cuts = 0
  cutLater(clock, new PassThrough(), () => {
    cuts += 1
  })
  clock.advance(LIMITS.lingerMs - 1)
  t.equal(cuts, 0)
  clock.advance(1)
  t.equal(cuts, 1)
})

t.test('one that closes, or has closed, is left alone', async (t) => {
  const clock = new ManualClock()
  const stream = new PassThrough()
  cutLater(clock, stream, () => t.fail('it was cut'))
  stream.destroy()
  await once(stream, 'close')
  cutLater(clock, stream, () => t.fail('it was cut'))
  clock.advance(LIMITS.lingerMs + 1)
  t.pass()
})
