import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { Attempts } from '../../src/roster/attempts.ts'
import { ManualClock } from './parts.ts'

const TOO_MANY: { code: ErrorCode } = { code: 'TOO_MANY_ATTEMPTS' }
const PER_ADDRESS = LIMITS.attemptsPerMinuteMax
const PER_USER = LIMITS.attemptsPerUserPerMinuteMax
const MINUTE_MS = 60_000

function make() {
  const clock = new ManualClock()
  const attempts = new Attempts({ clock })
  /** Fails as often as it may, at most `times`; returns how often it did. */
  const fail = (name: string, address: string, times: number): number => {
    for (let done = 0; done < times; done += 1) {
      try {
        attempts.check(name, address)
      } catch {
        return done
      }
      attempts.failed(name, address)
    }
    return times
  }
  return { clock, attempts, fail }
}

t.test('an address may fail so often a minute, and not once more', async (t) => {
  const { clock, attempts, fail } = make()
  t.equal(fail('bob', '192.0.2.1', PER_ADDRESS + 1), PER_ADDRESS)
  t.throws(() => attempts.check('bob', '192.0.2.1'), TOO_MANY)
  attempts.check('bob', '192.0.2.2')
  clock.advance(MINUTE_MS / PER_ADDRESS - 1)
  t.throws(() => attempts.check('bob', '192.0.2.1'), TOO_MANY)
  clock.advance(1)
  t.equal(fail('bob', '192.0.2.1', 2), 1)
  clock.advance(MINUTE_MS)
  t.equal(fail('bob', '192.0.2.1', PER_ADDRESS + 1), PER_ADDRESS)
})

t.test('it counts for an address whatever the name is', async (t) => {
  const { attempts, fail } = make()
  for (let user = 0; user < PER_ADDRESS; user += 1) t.equal(fail(`user${user}`, '192.0.2.1', 1), 1)
  t.throws(() => attempts.check('another', '192.0.2.1'), TOO_MANY)
})

t.test('an own sign-in between two guesses gives no more guesses', async (t) => {
  const { attempts, fail } = make()
  for (let guess = 0; guess < PER_ADDRESS; guess += 1) {
    t.equal(fail('bob', '192.0.2.1', 1), 1)
    attempts.succeeded('mallory', '192.0.2.1')
  }
  t.throws(() => attempts.check('bob', '192.0.2.1'), TOO_MANY)
  t.throws(() => attempts.check('mallory', '192.0.2.1'), TOO_MANY)
})

t.test('many addresses together may fail only so often for one user', async (t) => {
  const { fail } = make()
  let failures = 0
  for (let at = 0; at < 50; at += 1) failures += fail('bob', `192.0.2.${at}`, PER_ADDRESS)
  t.equal(failures, PER_USER)
  t.equal(fail('alice', '198.51.100.1', 1), 1, 'other users are not concerned')
})

t.test('one address cannot lock a user out elsewhere', async (t) => {
  const { clock, attempts, fail } = make()
  for (let minute = 0; minute < 30; minute += 1) {
    fail('bob', '192.0.2.1', 1_000)
    t.doesNotThrow(() => attempts.check('bob', '192.0.2.77'))
    clock.advance(MINUTE_MS / PER_ADDRESS)
  }
})

t.test('many addresses cannot lock a user out where it has signed in', async (t) => {
  const { attempts, fail } = make()
  attempts.succeeded('bob', '192.0.2.250')
  for (let at = 0; at < 50; at += 1) fail('bob', `192.0.2.${at}`, PER_ADDRESS)
  t.throws(() => attempts.check('bob', '192.0.2.251'), TOO_MANY)
  attempts.check('bob', '192.0.2.250')
  t.throws(() => attempts.check('bobby', '192.0.2.0'), TOO_MANY)
  t.equal(fail('bob', '192.0.2.250', PER_ADDRESS + 1), PER_ADDRESS, 'it may not guess more there')
})

t.test('an IPv4 address is one address in either notation', async (t) => {
  const { attempts, fail } = make()
  fail('bob', '192.0.2.1', PER_ADDRESS)
  t.throws(() => attempts.check('bob', '::ffff:192.0.2.1'), TOO_MANY)
})

t.test('names of Object.prototype are ordinary', async (t) => {
  const { attempts, fail } = make()
  for (const name of ['__proto__', 'constructor', 'toString']) attempts.check(name, name)
  t.equal(fail('__proto__', '__proto__', PER_ADDRESS + 1), PER_ADDRESS)
})

t.test('so many addresses are remembered, and one more drops the oldest', async (t) => {
  const { attempts, fail } = make()
  fail('bob', 'first', PER_ADDRESS)
  fail('bob', 'second', PER_ADDRESS)
  for (let at = 0; at < LIMITS.attemptKeysMax - 2; at += 1) attempts.failed('x', `address ${at}`)
  t.throws(() => attempts.check('alice', 'first'), TOO_MANY)
  attempts.failed('x', 'one more')
  attempts.check('alice', 'first')
  t.throws(() => attempts.check('alice', 'second'), TOO_MANY)
})
