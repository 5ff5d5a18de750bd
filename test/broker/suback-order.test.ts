import t from 'tap'
import { SubackOrder } from '../../src/broker/suback-order.ts'
import { packetOf } from './frame.ts'

const ID = [0x12, 0x34] as const

t.test('a SUBACK goes out as it is where aedes keeps the order', async (t) => {
  const order = new SubackOrder()
  order.note({ packetId: 0x1234, filters: ['b', 'a', '+/1'] })
  const suback = packetOf(0x90, ...ID, 1, 0, 2)
  t.equal(order.restored(suback, 4), suback.bytes)
})

t.test('numbers go back to their places, equal filters have a code each', async (t) => {
  for (const version of [4, 5] as const) {
    const order = new SubackOrder()
    order.note({ packetId: 0x1234, filters: ['b', '7', 'b', '1'] })
    const properties = version === 5 ? [0] : []
    // aedes has 1, 7, b.
    const restored = order.restored(packetOf(0x90, ...ID, ...properties, 1, 2, 0), version)
    const expected = packetOf(0x90, ...ID, ...properties, 0, 2, 0, 1)
    t.same(restored, expected.bytes)
    const later = packetOf(0x90, ...ID, ...properties, 1)
    t.equal(order.restored(later, version), later.bytes, 'once')
  }
})
