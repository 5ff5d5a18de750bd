import { decode, encode } from 'cborg'
import fc from 'fast-check'
import t from 'tap'
import { CborWriter, headBytes, numberBytes } from '../../src/message/cbor-writer.ts'

/** Where the head becomes longer (RFC 8949 3). */
const EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]

function written(size: number, write: (writer: CborWriter) => void): Buffer {
  const writer = new CborWriter(size)
  write(writer)
  return writer.bytes
}

t.test('numbers are as the codec writes them, on both sides of every edge', async (t) => {
  for (const value of EDGES) {
    const bytes = written(headBytes(value), (writer) => writer.uint(value))
    t.ok(bytes.equals(encode(value)), String(value))
    t.ok(written(numberBytes(value), (writer) => writer.number(value)).equals(bytes))
  }
})

t.test('what is no whole number comes back, too', async (t) => {
  const isSame = (value: number) =>
    Object.is(decode(written(numberBytes(value), (writer) => writer.number(value))), value)
  for (const value of [-1, -1.5, 0.1, Number.MAX_VALUE]) t.ok(isSame(value), String(value))
})

t.test('texts, bytes, arrays and null are as the codec writes them', async (t) => {
  const texts = fc.stringMatching(/^[ -~]{0,300}$/)
  fc.assert(
    fc.property(texts, fc.uint8Array({ maxLength: 70_000 }), (text, bytes) => {
      const size = 1 + headBytes(text.length) + text.length + headBytes(bytes.length) + 1
      const made = written(size + bytes.length, (writer) => {
        writer.array(3)
        writer.ascii(text)
        writer.binary(bytes)
        writer.null()
      })
      return made.equals(encode([text, bytes, null]))
    }),
  )
  t.pass()
})

t.test('what is encoded already goes in as it is', async (t) => {
  const inner = encode({ a: [1] })
  const bytes = written(inner.length, (writer) => writer.encoded(inner))
  t.same(decode(bytes), { a: [1] })
})
