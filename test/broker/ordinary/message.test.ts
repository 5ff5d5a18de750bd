import t from 'tap'
import {
  type Delivery,
  decodeDelivery,
  decodeQueued,
  encodeDelivery,
  kept,
  RELEASED,
  RELEASED_BYTES,
  secondsLeft,
} from '../../../src/broker/ordinary/message.ts'
import { message } from './rig.ts'

const DELIVERY: Delivery = {
  ...message('a/b', 'hello', { qos: 2, isRetained: true, deadlineMs: 7_000 }),
  identifiers: [1, 300],
  properties: {
    contentType: 'text/plain',
    correlationData: Uint8Array.of(0, 1),
    // Names come again, and empty [MQTT-3.3.2-17] [MQTT-3.3.2-18].
    userProperties: [
      ['b', '1'],
      ['a', ''],
      ['b', ''],
      ['__proto__', 'x'],
    ],
  },
}

t.test('a delivery comes back as it was stored', async (t) => {
  const found = decodeDelivery(encodeDelivery(DELIVERY))
  t.same({ ...found, payload: Buffer.from(found.payload) }, DELIVERY)
  const plain = { ...message('a', ''), identifiers: [] }
  t.same(decodeQueued(encodeDelivery(plain)), { ...plain, payload: new Uint8Array() })
})

t.test('what was received is stored as that alone', async (t) => {
  t.equal(decodeQueued(RELEASED_BYTES), RELEASED)
})

t.test('what is kept does not change with the packet that it came in', async (t) => {
  const packet = Buffer.from('hello')
  const copy = kept({ ...DELIVERY, payload: packet })
  packet.fill(0)
  t.equal(Buffer.from(copy.payload).toString(), 'hello')
})

t.test('seconds left are at least one, and none where there is no end', async (t) => {
  t.equal(secondsLeft(Number.POSITIVE_INFINITY, 5), undefined)
  t.equal(secondsLeft(7_000, 5_999), 2)
  t.equal(secondsLeft(7_000, 6_000), 1)
  t.equal(secondsLeft(7_000, 9_000), 1)
})
