import t from 'tap'
import { decodePacket, encodePacket, queued } from '../../../src/broker/persistence/packet.ts'

t.test('a packet comes back with every MQTT 5 field', async (t) => {
  const packet = {
    cmd: 'publish',
    topic: 'things/lamp/status',
    payload: Buffer.from([0, 255, 10]),
    qos: 2,
    retain: true,
    dup: false,
    messageExpiry: 1_800_000_000_123,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'things/lamp/answer',
      correlationData: Buffer.from('c1'),
      subscriptionIdentifier: [1, 268_435_455],
      userProperties: { zebra: ['1', '2'], a: '3' },
    },
  }
  const back = decodePacket(encodePacket(packet))
  t.same(back, packet)
  t.type(back.payload, Buffer)
  t.type(back.properties?.correlationData, Buffer)
})

t.test('user properties keep their order and any name', async (t) => {
  const userProperties = Object.assign(Object.create(null), {
    zebra: '1',
    a: '2',
    constructor: '3',
  })
  Object.defineProperty(userProperties, '__proto__', { value: '4', enumerable: true })
  const back = decodePacket(encodePacket({ topic: 't', properties: { userProperties } }))
  const got = back.properties?.['userProperties'] as object
  t.same(Object.entries(got), [
    ['zebra', '1'],
    ['a', '2'],
    ['constructor', '3'],
    ['__proto__', '4'],
  ])
})

t.test('a payload that is text stays text', async (t) => {
  t.equal(decodePacket(encodePacket({ topic: 't', payload: 'world' })).payload, 'world')
})

t.test('what is undefined or a function is not stored', async (t) => {
  const packet = { topic: 't', messageId: undefined, writeCallback: () => undefined }
  t.same(decodePacket(encodePacket(packet)), { topic: 't' })
})

t.test(
  'a queue keeps what belongs to the message, and fills in what a PUBLISH has to have',
  async (t) => {
    const packet = { topic: 't', length: 14, qos: 1, nl: true, clientId: 'bob' }
    t.same(queued(packet), {
      cmd: 'publish',
      topic: 't',
      payload: Buffer.alloc(0),
      qos: 1,
      retain: false,
      dup: false,
      nl: true,
      clientId: 'bob',
    })
  },
)
