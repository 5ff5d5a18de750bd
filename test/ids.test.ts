import t from 'tap'
import { randomHex, randomToken, systemRandom } from '../src/ids.ts'

const counting = (size: number) => Uint8Array.from({ length: size }, (_, at) => 250 + at)

t.test('a token is URL-safe and says all its bytes', async (t) => {
  t.equal(randomToken(6, counting), '-vv8_f7_')
  t.equal(Buffer.from(randomToken(7, counting), 'base64url').length, 7)
  t.notMatch(randomToken(16, systemRandom), /[^A-Za-z0-9_-]/)
})

t.test('hexadecimal digits are lower case, two for a byte', async (t) => {
  t.equal(randomHex(3, counting), 'fafbfc')
})

t.test('the system’s randomness has the size asked for and does not repeat', async (t) => {
  t.equal(systemRandom(0).length, 0)
  const tokens = Array.from({ length: 100 }, () => randomToken(16, systemRandom))
  t.equal(new Set(tokens).size, 100)
})
