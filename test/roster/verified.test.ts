import { randomBytes } from 'node:crypto'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { Verified } from '../../src/roster/verified.ts'
import { ManualClock } from './parts.ts'

const secret = Buffer.from('secret')

function make() {
  const clock = new ManualClock()
  return { clock, verified: new Verified({ clock, random: randomBytes }) }
}

t.test('only the very password, account and stored hash are known again', async (t) => {
  const { verified } = make()
  verified.add('alice', '$phc', secret)
  t.ok(verified.has('alice', '$phc', secret))
  t.notOk(verified.has('alice', '$phc', Buffer.from('secreT')))
  t.notOk(verified.has('alice', '$phc2', secret), 'a changed password misses at once')
  t.notOk(verified.has('bob', '$phc', secret))
  t.notOk(verified.has('alice\0$phc', '', secret))
  t.notOk(verified.has('alice', '$ph', Buffer.from('c\0secret')))
})

t.test('another process has another key', async (t) => {
  const one = make().verified
  const other = make().verified
  one.add('alice', '$phc', secret)
  t.notOk(other.has('alice', '$phc', secret))
})

t.test('it is forgotten after a while, counted on monotonic time', async (t) => {
  const { clock, verified } = make()
  verified.add('alice', '$phc', secret)
  clock.wallOffsetMs += 10 * 365 * 86_400_000
  clock.advance(LIMITS.verifiedMsMax - 1)
  t.ok(verified.has('alice', '$phc', secret))
  clock.advance(1)
  t.notOk(verified.has('alice', '$phc', secret))
})

t.test('so many are kept, and one more drops the oldest', async (t) => {
  const { verified } = make()
  const names = Array.from({ length: LIMITS.verifiedMax }, (_, at) => `user${at}`)
  for (const name of names) verified.add(name, '$phc', secret)
  t.ok(names.every((name) => verified.has(name, '$phc', secret)))
  verified.add('user0', '$phc', secret)
  verified.add('one-more', '$phc', secret)
  t.ok(verified.has('user0', '$phc', secret), 'it was renewed')
  t.notOk(verified.has('user1', '$phc', secret))
  t.ok(verified.has('user2', '$phc', secret))
})
