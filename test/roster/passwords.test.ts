import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { CHOSEN_COST, GENERATED_COST, isPassword, Passwords } from '../../src/roster/passwords.ts'
import { parsePhc } from '../../src/roster/phc.ts'
import { CHEAP } from './parts.ts'

const anytime = () => undefined
const secret = Buffer.from('correct horse')
const make = (cost = CHEAP) => new Passwords({ random: randomBytes }, { cost })

t.test('a password is right against its own hash only', async (t) => {
  const passwords = make()
  const stored = await passwords.hash(secret, 'chosen')
  t.ok(await passwords.verify(stored, secret, anytime))
  t.notOk(await passwords.verify(stored, Buffer.from('correct horsf'), anytime))
  t.notOk(await passwords.verify(stored, Buffer.from(''), anytime))
  t.notOk(await passwords.verify(undefined, secret, anytime))
  t.notOk(await passwords.verify('junk', secret, anytime), 'a damaged hash lets nobody in')
  t.not(await passwords.hash(secret, 'chosen'), stored, 'each hash has a salt of its own')
})

t.test('hashes of other programs are understood', async (t) => {
  // A test vector of the reference implementation (P-H-C/phc-winner-argon2, src/test.c).
  const stored =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  t.ok(await make().verify(stored, Buffer.from('password'), anytime))
})

t.test('a chosen password costs what is recommended', async (t) => {
  const stored = await make(CHOSEN_COST).hash(secret, 'chosen')
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
})

t.test('a generated password is 128 bits and is not stretched', async (t) => {
  const passwords = make(CHOSEN_COST)
  const { password, credential } = await passwords.make()
  t.match(password, /^[A-Za-z0-9_-]{22}$/)
  t.same(parsePhc(credential)?.cost, GENERATED_COST)
  t.ok(await passwords.verify(credential, Buffer.from(password), anytime))
  t.not((await passwords.make()).password, password)
})

t.test('a chosen password is stretched', async (t) => {
  const { password, credential } = await make().make('correct horse')
  t.equal(password, 'correct horse')
  t.same(parsePhc(credential)?.cost, CHEAP)
})

t.test('a password has 1 to the allowed number of bytes', async (t) => {
  const max = LIMITS.passwordBytesMax
  t.notOk(isPassword(Buffer.alloc(0)))
  t.ok(isPassword(Buffer.alloc(1)))
  t.ok(isPassword(Buffer.alloc(max)))
  t.notOk(isPassword(Buffer.alloc(max + 1)))
  const refused: { code: ErrorCode } = { code: 'BAD_REQUEST' }
  await t.rejects(make().make(''), refused)
  await t.rejects(make().make('é'.repeat(max / 2 + 1)), refused)
  await make().make('é'.repeat(max / 2))
})

t.test('hashes at another cost than today are found', async (t) => {
  const passwords = make(CHOSEN_COST)
  t.ok(passwords.isCurrent(await passwords.hash(secret, 'chosen')))
  t.ok(passwords.isCurrent(await passwords.hash(secret, 'generated')))
  t.notOk(passwords.isCurrent(await make().hash(secret, 'chosen')))
  t.notOk(passwords.isCurrent('junk'))
})

t.test('so many wait for their turn, and one more is refused', async (t) => {
  const passwords = make()
  const places = LIMITS.passwordHashesMax + LIMITS.passwordHashesWaitingMax
  let started = 0
  let finished = 0
  let togetherMax = 0
  const check = async () => {
    const isRight = await passwords.verify(undefined, secret, () => {
      started += 1
      togetherMax = Math.max(togetherMax, started - finished)
    })
    finished += 1
    return isRight
  }
  const all = Array.from({ length: places }, check)
  await t.rejects(check(), { code: 'TOO_MANY_ATTEMPTS' satisfies ErrorCode })
  t.notOk((await Promise.all(all)).some((isRight) => isRight))
  t.equal(started, places)
  // One whose hash is made may not have been told yet when the next begins.
  t.ok(togetherMax <= LIMITS.passwordHashesMax + 1, `${togetherMax} at once`)
  t.notOk(await check(), 'there is room again')
})

t.test('a check that may not start gives its turn to the next', async (t) => {
  const passwords = make()
  const stored = await passwords.hash(secret, 'chosen')
  const first = passwords.verify(stored, secret, anytime)
  const second = passwords.verify(stored, secret, () => {
    throw new RangeError('not now')
  })
  const third = passwords.verify(stored, secret, anytime)
  await t.rejects(second, { name: 'RangeError' })
  t.ok(await first)
  t.ok(await third)
})

t.test('an unknown name costs as much as a wrong password, however it was stored', async (t) => {
  const passwords = make({ memoryKib: 4_096, passes: 1, lanes: 1 })
  const chosen = await passwords.hash(secret, 'chosen')
  const generated = await passwords.hash(secret, 'generated')
  const wrong = Buffer.from('wrong')
  const medianMs = new Map<string | undefined, number>()
  const timesMs = new Map<string | undefined, number[]>()
  const kinds = [undefined, chosen, generated]
  for (let round = 0; round < 40; round += 1) {
    for (const stored of kinds) {
      const startedMs = performance.now()
      await passwords.verify(stored, wrong, anytime)
      const list = timesMs.get(stored) ?? []
      list.push(performance.now() - startedMs)
      timesMs.set(stored, list)
    }
  }
  for (const [stored, list] of timesMs) {
    list.sort((a, b) => a - b)
    medianMs.set(stored, list[list.length / 2] ?? 0)
  }
  const medians = kinds.map((stored) => medianMs.get(stored) ?? 0)
  t.ok(Math.max(...medians) < 1.5 * Math.min(...medians) + 1, `medians in ms: ${medians}`)
})

t.test('the event loop turns while a password is hashed', async (t) => {
  const passwords = make(CHOSEN_COST)
  let turns = 0
  let isDone = false
  const hashing = passwords.hash(secret, 'chosen').then(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    turns += 1
  }
  await hashing
  t.ok(turns > 10, `${turns} turns`)
})
