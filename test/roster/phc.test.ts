import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { encodePhc, parsePhc } from '../../src/roster/phc.ts'

const cost = { memoryKib: 19_456, passes: 2, lanes: 1 }

t.test('a hash is written as a PHC string and read back', async (t) => {
  const phc = { cost, salt: Buffer.alloc(16, 1), hash: Buffer.alloc(32, 255) }
  const text = encodePhc(phc)
  t.equal(
    text,
    '$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$//////////////////////////////////////////8',
  )
  t.same(parsePhc(text), phc)
})

t.test('what is written can be read, and every piece of it alone cannot', async () => {
  const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max })
  fc.assert(
    fc.property(bytes(8, 64), bytes(16, 64), (salt, hash) => {
      const text = encodePhc({ cost, salt, hash })
      const read = parsePhc(text)
      return (
        read !== undefined &&
        Buffer.compare(read.salt, salt) === 0 &&
        Buffer.compare(read.hash, hash) === 0 &&
        parsePhc(text.slice(1)) === undefined &&
        parsePhc(text.slice(0, text.lastIndexOf('$'))) === undefined
      )
    }),
  )
})

t.test('other algorithms, versions and unaffordable costs are not read', async (t) => {
  const tail = `$${'A'.repeat(22)}$${'A'.repeat(43)}`
  t.ok(parsePhc(`$argon2id$v=19$m=8,t=1,p=1${tail}`))
  t.ok(parsePhc(`$argon2id$v=19$m=65536,t=16,p=4${tail}`))
  const bad = [
    '',
    'secret',
    `$argon2i$v=19$m=8,t=1,p=1${tail}`,
    `$argon2id$v=16$m=8,t=1,p=1${tail}`,
    `$argon2id$v=19$m=7,t=1,p=1${tail}`,
    `$argon2id$v=19$m=8,t=1,p=2${tail}`,
    `$argon2id$v=19$m=65537,t=1,p=1${tail}`,
    `$argon2id$v=19$m=8,t=17,p=1${tail}`,
    `$argon2id$v=19$m=8,t=0,p=1${tail}`,
    `$argon2id$v=19$m=8,t=1,p=0${tail}`,
    `$argon2id$v=19$m=40,t=1,p=5${tail}`,
    `$argon2id$v=19$m=-8,t=1,p=1${tail}`,
    `$argon2id$v=19$m=8,t=1,p=1${tail}\n`,
    `$argon2id$v=19$m=8,t=1,p=1$$${randomBytes(32).toString('hex')}`,
  ]
  for (const text of bad) t.equal(parsePhc(text), undefined, text)
})
