import t from 'tap'
import { Framer } from '../../src/broker/framer.ts'
import { RelayError } from '../../src/errors.ts'

const PACKETS = [
  Buffer.from([0xc0, 0]),
  Buffer.concat([Buffer.from([0x30, 5]), Buffer.from('hello')]),
  Buffer.concat([Buffer.from([0x30, 0xc8, 0x01]), Buffer.alloc(200, 'x')]),
  Buffer.concat([Buffer.from([0x30, 0x80, 0x80, 0x01]), Buffer.alloc(16_384, 'y')]),
]

function all(framer: Framer): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    frames.push(frame.bytes)
  }
  return frames
}

t.test('packets come out whole however the bytes are split', async (t) => {
  const bytes = Buffer.concat(PACKETS.slice(0, 3))
  for (let at = 0; at <= bytes.length; at += 1) {
    const framer = new Framer(1_000)
    framer.push(bytes.subarray(0, at))
    const early = all(framer)
    framer.push(bytes.subarray(at))
    t.same([...early, ...all(framer)], PACKETS.slice(0, 3))
    t.equal(framer.waiting, 0)
  }
})

t.test('byte by byte, and the body begins where it does', async (t) => {
  const framer = new Framer(20_000)
  const found: { bytes: Buffer; bodyAt: number }[] = []
  for (const byte of Buffer.concat(PACKETS)) {
    framer.push(Buffer.from([byte]))
    const frame = framer.next()
    if (frame !== undefined) found.push(frame)
  }
  t.same(
    found.map(({ bytes }) => bytes),
    PACKETS,
  )
  t.same(
    found.map(({ bodyAt }) => bodyAt),
    [2, 2, 3, 4],
  )
})

t.test('a whole packet in one chunk is not copied', async (t) => {
  const framer = new Framer(1_000)
  const chunk = Buffer.concat(PACKETS.slice(0, 2))
  framer.push(chunk)
  t.equal(framer.next()?.bytes.buffer, chunk.buffer)
})

t.test('a packet beyond the bound is refused before its body is there', async (t) => {
  const framer = new Framer(100)
  framer.push(Buffer.from([0x30, 98]))
  t.equal(framer.next(), undefined)
  const beyond = new Framer(100)
  beyond.push(Buffer.from([0x30, 99]))
  t.throws(() => beyond.next(), { code: 'PAYLOAD_TOO_LARGE' })
})

t.test('a remaining length of five bytes is refused', async (t) => {
  const framer = new Framer(Number.POSITIVE_INFINITY)
  framer.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]))
  t.throws(() => framer.next(), new RelayError('BAD_PACKET', '').constructor)
  t.throws(() => framer.next(), { code: 'BAD_PACKET' })
})

t.test('what it is shows in the first byte', async (t) => {
  const framer = new Framer(1_000)
  t.equal(framer.firstByte, undefined)
  framer.push(Buffer.alloc(0))
  framer.push(Buffer.from([0x10]))
  t.equal(framer.firstByte, 0x10)
  t.equal(framer.next(), undefined)
  t.equal(framer.waiting, 1)
})

t.test('bytes that come one by one are gathered, whatever comes between', async (t) => {
  const framer = new Framer(1_000_000)
  const body = Buffer.from(Array.from({ length: 20_000 }, (_, at) => at % 251))
  const packet = Buffer.concat([Buffer.from([0x30, 0xa0, 0x9c, 0x01]), body])
  let at = 0
  while (at < packet.length) {
    const size = at % 5_000 === 4_999 ? 2_000 : 1
    framer.push(packet.subarray(at, at + size))
    at += size
  }
  t.same(framer.next()?.bytes, packet)
  t.equal(framer.next(), undefined)
  for (const byte of [0xc0, 0]) framer.push(Buffer.of(byte))
  t.same(framer.next()?.bytes, Buffer.from([0xc0, 0]), 'and the next one begins anew')
})
