import t from 'tap'
import { AedesPort } from '../../src/broker/aedes-port.ts'
import { LIMITS } from '../../src/limits.ts'

function port() {
  const frames: Buffer[] = []
  const events: string[] = []
  const made = new AedesPort({
    fromAedes: ({ bytes }) => frames.push(bytes),
    aedesHasRoom: () => events.push('room'),
    endedByAedes: () => events.push('ended'),
  })
  return { port: made, frames, events }
}

const PINGRESP = Buffer.from([0xd0, 0])
const SUBACK = Buffer.from([0x90, 3, 0, 1, 0])

t.test('what aedes writes in pieces comes out as packets', async (t) => {
  const { port: one, frames } = port()
  for (const byte of Buffer.concat([SUBACK, PINGRESP])) one.write(Buffer.from([byte]))
  one.cork()
  one.write(SUBACK.subarray(0, 2))
  one.write(SUBACK.subarray(2))
  one.uncork()
  t.same(frames, [SUBACK, PINGRESP, SUBACK])
})

t.test('aedes reads what it was given, in order', async (t) => {
  const { port: one } = port()
  one.give(Buffer.from('ab'))
  one.give(Buffer.from('cd'))
  t.equal(String(one.read()), 'abcd')
})

t.test('it is full at the bound, and says when it is not any more', async (t) => {
  const { port: one, events } = port()
  one.give(Buffer.alloc(LIMITS.aedesBytesHigh - 1))
  t.notOk(one.isFull)
  one.give(Buffer.alloc(1))
  t.ok(one.isFull)
  t.same(events, [])
  one.read()
  t.notOk(one.isFull)
  t.same(events, ['room'])
})

t.test('the end is told once', async (t) => {
  const { port: one, events } = port()
  one.destroy()
  one.destroy()
  t.same(events, ['ended'])
})
