import t from 'tap'
import { readVarint, unpackSnappy } from '../../src/store/snappy.ts'

/** `hello hello hello hello hello!` with a copy that overlaps itself. */
const PACKED = Buffer.from([30, 5 << 2, ...Buffer.from('hello '), (22 << 2) | 2, 6, 0, 0, 0x21])

t.test('literals and copies are unpacked', async (t) => {
  t.equal(unpackSnappy(PACKED)?.toString(), 'hello hello hello hello hello!')
})

t.test('each width of a copy is understood', async (t) => {
  const word = Buffer.from('abcdefgh')
  const literal = [7 << 2, ...word]
  const expected = 'abcdefghabcdefgh'
  t.equal(unpackSnappy(Buffer.from([16, ...literal, (4 << 2) | 1, 8]))?.toString(), expected)
  t.equal(unpackSnappy(Buffer.from([16, ...literal, (7 << 2) | 2, 8, 0]))?.toString(), expected)
  t.equal(
    unpackSnappy(Buffer.from([16, ...literal, (7 << 2) | 3, 8, 0, 0, 0]))?.toString(),
    expected,
  )
})

t.test('a long literal has its length in bytes of its own', async (t) => {
  const long = Buffer.alloc(300, 'x')
  const packed = Buffer.concat([Buffer.from([0xac, 2, 61 << 2, 43, 1]), long])
  t.same(unpackSnappy(packed), long)
})

t.test('nothing that was cut is taken for whole', async (t) => {
  for (let length = 0; length < PACKED.length; length += 1) {
    t.equal(unpackSnappy(PACKED.subarray(0, length)), undefined, `${length} bytes`)
  }
})

t.test('a copy from before the beginning, or too long a result, is refused', async (t) => {
  t.equal(unpackSnappy(Buffer.from([4, (3 << 2) | 2, 1, 0])), undefined)
  t.equal(unpackSnappy(Buffer.from([2, 2 << 2, 1, 2, 3])), undefined)
  t.equal(unpackSnappy(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f, 0])), undefined)
})

t.test('a number is read to its end, and one without an end ends beyond the bytes', async (t) => {
  t.same(readVarint(Buffer.from([0xac, 2, 9]), 0), [300, 2])
  t.same(readVarint(Buffer.from([0x80]), 0), [0, 2])
  t.same(readVarint(Buffer.alloc(20, 0xff), 0), [0, 21])
})
