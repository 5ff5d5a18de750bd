import t from 'tap'
import { endsTurn, SubscribeTurn } from '../../src/broker/subscribe-turn.ts'
import { packetOf } from './frame.ts'

const ID = [0x12, 0x34] as const

t.test('a SUBACK goes out as it is where aedes keeps the order', async (t) => {
  const turn = new SubscribeTurn(() => undefined)
  turn.take({ packetId: 0x1234, filters: ['b', 'a', '+/1'] })
  const suback = packetOf(0x90, ...ID, 1, 0, 2)
  t.equal(turn.end(suback, 4), suback.bytes)
})

t.test('numbers go back to their places, equal filters have a code each', async (t) => {
  for (const version of [4, 5] as const) {
    const turn = new SubscribeTurn(() => undefined)
    turn.take({ packetId: 0x1234, filters: ['b', '7', 'b', '1'] })
    const properties = version === 5 ? [0] : []
    // aedes has 1, 7, b.
    const restored = turn.end(packetOf(0x90, ...ID, ...properties, 1, 2, 0), version)
    t.same(restored, packetOf(0x90, ...ID, ...properties, 0, 2, 0, 1).bytes)
    turn.take()
    const later = packetOf(0xb0, ...ID, ...properties)
    t.equal(turn.end(later, version), later.bytes, 'once')
  }
})

t.test('the turn is taken until the answer comes', async (t) => {
  let ended = 0
  const turn = new SubscribeTurn(() => {
    ended += 1
  })
  t.notOk(turn.isTaken)
  turn.take()
  t.ok(turn.isTaken)
  turn.end(packetOf(0xb0, ...ID), 4)
  t.notOk(turn.isTaken)
  t.equal(ended, 1)
  t.ok(endsTurn(packetOf(0x90, ...ID, 0)))
  t.ok(endsTurn(packetOf(0xb0, ...ID)))
  t.notOk(endsTurn(packetOf(0xd0)))
})
