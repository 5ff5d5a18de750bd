import t from 'tap'
import { FrameReader } from './frame-reader.ts'
import { publishTemplate } from './packets.ts'

t.test('packets come out the same however the stream is cut', async (t) => {
  const frames = [1, 130, 20_000].map(
    (size) => publishTemplate(4, 't', Buffer.alloc(size, size)).frame,
  )
  const stream = Buffer.concat([...frames, Buffer.from([0xd0, 0])])
  for (const size of [1, 2, 3, 7, 1_000, stream.length]) {
    const bodies: string[] = []
    const reader = new FrameReader((bytes, first, start, end) =>
      bodies.push(`${first} ${bytes.toString('latin1', start, end)}`),
    )
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
    t.equal(bodies.length, 4)
    t.equal(bodies[3], '208 ')
    t.equal(bodies[2]?.length, '50 '.length + 2 + 1 + 2 + 20_000)
  }
})

t.test('a length of more than four bytes is no MQTT', async (t) => {
  const reader = new FrameReader(() => t.fail('no packet is there'))
  t.throws(() => reader.push(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1])))
})
