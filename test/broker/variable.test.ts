import t from 'tap'
import { readVariable, variable } from '../../src/broker/variable.ts'

t.test('every length comes back, in as few bytes as it takes', async (t) => {
  for (const [value, bytes] of [
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2_097_151, 3],
    [2_097_152, 4],
    [268_435_455, 4],
  ] as const) {
    const encoded = variable(value)
    t.equal(encoded.length, bytes)
    t.same(readVariable(Buffer.concat([Buffer.from([9]), encoded]), 1), { value, end: bytes + 1 })
    for (let cut = 0; cut < bytes; cut += 1) {
      t.equal(readVariable(encoded.subarray(0, cut), 0), undefined)
    }
  }
})

t.test('a fifth byte is none', async (t) => {
  t.equal(readVariable(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01]), 0), undefined)
})
