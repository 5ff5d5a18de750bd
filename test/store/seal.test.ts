import t from 'tap'
import { keySum, seal, sealedValue, unseal, unsealWith } from '../../src/store/seal.ts'

const KEY = 'entry/a.1/0001'
const sealed = seal(keySum(KEY), Buffer.from('hello bob'))

t.test('what was sealed under a key is found under it', async (t) => {
  t.equal(unseal(KEY, sealed)?.toString(), 'hello bob')
  t.equal(unsealWith(keySum(KEY), sealed)?.toString(), 'hello bob')
  t.equal(sealedValue(sealed).toString(), 'hello bob')
  t.equal(unseal('a/', seal(keySum('a/'), new Uint8Array()))?.length, 0)
})

t.test('the seal holds a copy, so that the caller may use its bytes again', async (t) => {
  const value = Buffer.from('hello')
  const copy = seal(keySum(KEY), value)
  value.fill(0)
  t.equal(unseal(KEY, copy)?.toString(), 'hello')
})

t.test('any changed bit is noticed', async (t) => {
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (unseal(KEY, changed) !== undefined) t.fail(`bit ${bit}`)
  }
})

t.test('anything cut off is noticed', async (t) => {
  for (let length = 0; length < sealed.length; length += 1) {
    t.equal(unseal(KEY, sealed.subarray(0, length)), undefined)
  }
})

t.test('a value under the key of another one is noticed', async (t) => {
  t.equal(unseal('entry/a.1/0002', sealed), undefined)
})
