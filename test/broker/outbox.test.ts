import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Flusher, Outbox } from '../../src/broker/outbox.ts'
import { Traffic } from '../../src/broker/traffic.ts'
import { LIMITS } from '../../src/limits.ts'
import { ManualClock } from '../support/manual-clock.ts'

const CONNACK = Buffer.from([0x20, 2, 0, 0])

function outbox() {
  const socket = new PassThrough()
  const writes: Buffer[] = []
  socket.on('data', (chunk: Buffer) => writes.push(chunk))
  const flusher = new Flusher()
  const traffic = new Traffic()
  const clock = new ManualClock()
  let isStuck = false
  const stuck = () => {
    isStuck = true
  }
  const box = new Outbox({ socket, flusher, traffic, clock, stuck })
  return { socket, writes, flusher, traffic, clock, box, isStuck: () => isStuck }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('CONNACK comes before what was gathered earlier', async (t) => {
  const { box, writes } = outbox()
  box.push(Buffer.from('early'))
  await turn()
  t.same(writes, [])
  box.flush()
  t.same(writes, [], 'nothing goes out without CONNACK')
  box.open(CONNACK)
  await turn()
  t.same(writes, [Buffer.concat([CONNACK, Buffer.from('early')])])
})

t.test('the packets of one turn are one write, in order', async (t) => {
  const { box, writes } = outbox()
  box.open(CONNACK)
  await turn()
  box.push(Buffer.from('a'))
  box.push(Buffer.from('b'))
  t.equal(box.waiting, 2)
  await turn()
  box.push(Buffer.from('c'))
  await turn()
  t.same(writes, [CONNACK, Buffer.from('ab'), Buffer.from('c')])
  t.equal(box.waiting, 0)
})

t.test('one turn end serves all', async (t) => {
  const one = outbox()
  const { socket, flusher, traffic, clock } = one
  const other = new Outbox({ socket, flusher, traffic, clock, stuck: () => undefined })
  one.box.open(CONNACK)
  other.open(CONNACK)
  await turn()
  t.equal(one.writes.length, 2)
})

t.test('bytes that the socket does not take are counted, and a closed one gets none', async (t) => {
  const { box, socket } = outbox()
  socket.pause()
  box.open(Buffer.alloc(1_000_000))
  box.flush()
  t.ok(box.waiting >= 1_000_000 - 2 * socket.writableHighWaterMark)
  socket.destroy()
  box.push(Buffer.from('late'))
  box.flush()
  t.pass('dropped')
})

t.test('a reader that takes nothing of a lot for long is stuck', async (t) => {
  const { box, socket, clock, isStuck } = outbox()
  socket.pause()
  box.open(CONNACK)
  box.push(Buffer.alloc(LIMITS.outboxBytesHigh + 1))
  await turn()
  t.ok(box.isCongested)
  clock.advance(LIMITS.stuckMsMax - 1)
  t.notOk(isStuck())
  const drained = once(socket, 'drain')
  socket.resume()
  await drained
  t.notOk(box.isCongested)
  clock.advance(1)
  t.notOk(isStuck(), 'it was slow')
  socket.pause()
  box.push(Buffer.alloc(LIMITS.outboxBytesHigh + 1))
  await turn()
  clock.advance(LIMITS.stuckMsMax)
  t.ok(isStuck())
})

t.test('a connection that is over waits for nothing', async (t) => {
  const { box, socket, clock, isStuck } = outbox()
  socket.pause()
  box.open(CONNACK)
  box.push(Buffer.alloc(LIMITS.outboxBytesHigh + 1))
  await turn()
  box.close()
  t.equal(clock.timers, 0)
  clock.advance(LIMITS.stuckMsMax)
  t.notOk(isStuck())
})
