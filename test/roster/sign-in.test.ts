import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { thingId, userId } from '../../src/message/names.ts'
import { Passwords } from '../../src/roster/passwords.ts'
import { SignIn } from '../../src/roster/sign-in.ts'
import { Rig } from './parts.ts'

const alice = userId('alice')
const bob = userId('bob')
const lamp = thingId('lamp')
const HERE = '192.0.2.1'
const WRONG: { code: ErrorCode } = { code: 'WRONG_CREDENTIALS' }
const TOO_MANY: { code: ErrorCode } = { code: 'TOO_MANY_ATTEMPTS' }

/** Counts the hashes that are computed. */
class CountedPasswords extends Passwords {
  verified = 0

  override verify(stored: string | undefined, password: Uint8Array, mayStart: () => void) {
    return super.verify(stored, password, () => {
      mayStart()
      this.verified += 1
    })
  }
}

async function make(options = { allowsAnonymous: false, memoryKib: 64 }) {
  const rig = new Rig()
  const { roster, clock } = rig
  await roster.addUser(alice, { isAdmin: true, password: 'alice-pw' })
  await roster.addUser(bob, { isAdmin: false, password: 'bob-pw' })
  await roster.addThing(lamp, 'lamp-pw')
  const cost = { memoryKib: options.memoryKib, passes: 1, lanes: 1 }
  const passwords = new CountedPasswords({ random: randomBytes }, { cost })
  const signIn = new SignIn({ roster, passwords, clock, random: randomBytes }, options)
  const tryOut = (name: string | undefined, password: string | undefined, address = HERE) =>
    signIn.authenticate(name, password === undefined ? undefined : Buffer.from(password), address)
  return { clock, roster, passwords, tryOut }
}

t.test('who knows the password is let in as who it is', async (t) => {
  const { tryOut } = await make()
  t.same(await tryOut('alice', 'alice-pw'), { kind: 'user', user: 'alice', isAdmin: true })
  t.same(await tryOut('bob', 'bob-pw'), { kind: 'user', user: 'bob', isAdmin: false })
  t.same(await tryOut('thing:lamp', 'lamp-pw'), { kind: 'thing', thing: 'lamp' })
})

t.test('a generated password signs in', async (t) => {
  const { roster, tryOut } = await make()
  const { password } = await roster.setPassword(bob)
  t.match(await tryOut('bob', password), { user: 'bob' })
})

t.test('everybody else hears the same, whatever was wrong', async (t) => {
  const { clock, tryOut } = await make()
  const wrong: [string, string | undefined][] = [
    ['alice', 'bob-pw'],
    ['alice', 'alice-pw '],
    ['alice', ''],
    ['alice', undefined],
    ['alice', 'x'.repeat(LIMITS.passwordBytesMax + 1)],
    ['carol', 'alice-pw'],
    ['Alice', 'alice-pw'],
    ['аlice', 'alice-pw'],
    ['alice\0', 'alice-pw'],
    ['lamp', 'lamp-pw'],
    ['thing:alice', 'alice-pw'],
    ['__proto__', 'alice-pw'],
    ['constructor', 'alice-pw'],
    ['#', 'alice-pw'],
  ]
  for (const [name, password] of wrong) {
    await t.rejects(tryOut(name, password), WRONG, name)
    clock.advance(60_000)
  }
})

t.test('an unknown name is hashed as a known one is', async (t) => {
  const { passwords, tryOut } = await make()
  await t.rejects(tryOut('alice', 'wrong'), WRONG)
  t.equal(passwords.verified, 1)
  await t.rejects(tryOut('carol', 'wrong'), WRONG)
  await t.rejects(tryOut('#', 'wrong'), WRONG)
  t.equal(passwords.verified, 3)
})

t.test('without a name only where anonymous clients are allowed', async (t) => {
  const closed = await make()
  await t.rejects(closed.tryOut(undefined, undefined), WRONG)
  await t.rejects(closed.tryOut('', 'alice-pw'), WRONG)
  const open = await make({ allowsAnonymous: true, memoryKib: 64 })
  t.same(await open.tryOut(undefined, undefined), { kind: 'anonymous' })
  t.same(await open.tryOut('', undefined), { kind: 'anonymous' })
  await t.rejects(open.tryOut('anonymous', ''), WRONG)
  await t.rejects(open.tryOut('alice', 'wrong'), WRONG, 'a wrong password does not fall open')
})

t.test('after too many failures nothing is hashed any more', async (t) => {
  const { clock, passwords, tryOut } = await make()
  for (let at = 0; at < LIMITS.attemptsPerMinuteMax; at += 1) {
    await t.rejects(tryOut('bob', `guess ${at}`), WRONG)
  }
  await t.rejects(tryOut('bob', 'bob-pw'), TOO_MANY)
  await t.rejects(tryOut('carol', 'x'), TOO_MANY)
  t.equal(passwords.verified, LIMITS.attemptsPerMinuteMax)
  t.match(await tryOut('bob', 'bob-pw', '192.0.2.2'), { user: 'bob' }, 'bob gets in elsewhere')
  clock.advance(60_000)
  t.match(await tryOut('bob', 'bob-pw'), { user: 'bob' })
})

t.test('guesses made all at once are no more than one after the other', async (t) => {
  const { passwords, tryOut } = await make()
  const guesses = Array.from({ length: 100 }, (_, at) => tryOut('bob', `guess ${at}`))
  const codes = (await Promise.allSettled(guesses)).map((result) =>
    result.status === 'rejected' ? result.reason.code : 'in',
  )
  const hashedMax = LIMITS.attemptsPerMinuteMax + LIMITS.passwordHashesMax
  t.ok(passwords.verified <= hashedMax, `${passwords.verified} of 100 were hashed`)
  t.equal(codes.filter((code) => code === 'WRONG_CREDENTIALS').length, passwords.verified)
  t.equal(codes.filter((code) => code === 'TOO_MANY_ATTEMPTS').length, 100 - passwords.verified)
})

t.test('a fleet that comes back is not hashed again', async (t) => {
  const { clock, roster, passwords, tryOut } = await make()
  for (let at = 0; at < 200; at += 1) await tryOut('bob', 'bob-pw', `198.51.100.${at}`)
  t.equal(passwords.verified, 1)
  clock.advance(LIMITS.verifiedMsMax)
  await tryOut('bob', 'bob-pw')
  t.equal(passwords.verified, 2, 'but after a while it is')
  await t.rejects(tryOut('bob', 'bob-pW'), WRONG)
  t.equal(passwords.verified, 3, 'and a wrong password always is')
  await roster.setPassword(bob, 'new-pw')
  await t.rejects(tryOut('bob', 'bob-pw'), WRONG, 'the old password is out at once')
  roster.removeUser(bob)
  await t.rejects(tryOut('bob', 'new-pw'), WRONG)
})

t.test('200 right passwords at once from one address all get in', async (t) => {
  const { tryOut } = await make()
  const all = await Promise.all(Array.from({ length: 200 }, () => tryOut('bob', 'bob-pw')))
  t.equal(all.length, 200)
})

t.test('a remembered password does not get round the attempt limit', async (t) => {
  const { tryOut } = await make()
  await tryOut('bob', 'bob-pw')
  for (let at = 0; at < LIMITS.attemptsPerMinuteMax; at += 1) {
    await t.rejects(tryOut('bob', 'wrong'), WRONG)
  }
  await t.rejects(tryOut('bob', 'bob-pw'), TOO_MANY)
})

t.test('a password that is changed while it is checked lets nobody in', async (t) => {
  const { roster, tryOut } = await make()
  const late = tryOut('bob', 'bob-pw')
  roster.removeUser(bob)
  await t.rejects(late, WRONG)
  const alsoLate = t.rejects(tryOut('thing:lamp', 'lamp-pw'), WRONG)
  roster.removeThing(lamp)
  await roster.addThing(lamp, 'other')
  await alsoLate
})

t.test('a hash of an older cost is renewed at the next sign-in', async (t) => {
  const { roster, tryOut } = await make({ allowsAnonymous: false, memoryKib: 128 })
  for (const [name, account] of [
    ['bob', { kind: 'user', user: bob }],
    ['thing:lamp', { kind: 'thing', thing: lamp }],
  ] as const) {
    const password = name === 'bob' ? 'bob-pw' : 'lamp-pw'
    t.match(roster.credential(account), /m=64,/)
    await t.rejects(tryOut(name, 'wrong'), WRONG)
    t.match(roster.credential(account), /m=64,/)
    await tryOut(name, password)
    t.match(roster.credential(account), /m=128,/)
    await tryOut(name, password)
  }
})
