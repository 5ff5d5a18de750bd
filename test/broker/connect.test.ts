import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { connackOf, readConnect } from '../../src/broker/connect.ts'
import { RelayError } from '../../src/errors.ts'
import { frameOf, packetOf } from './frame.ts'

function connect(protocolVersion: 3 | 4 | 5, more: object = {}) {
  return frameOf(
    mqttPacket.generate({
      cmd: 'connect',
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion,
      clientId: 'phone',
      clean: true,
      keepalive: 60,
      username: 'alice',
      password: Buffer.from('secret'),
      will: { topic: 'a/b', payload: Buffer.from('bye'), qos: 1, retain: true },
      ...more,
    }),
  )
}

const WILL = {
  topic: 'a/b',
  payload: Buffer.from('bye'),
  qos: 1,
  isRetained: true,
  properties: {},
  delayS: 0,
}

const FULL = {
  properties: {
    receiveMaximum: 7,
    maximumPacketSize: 900,
    sessionExpiryInterval: 30,
    topicAliasMaximum: 3,
    requestProblemInformation: true,
    userProperties: { a: 'b' },
  },
}

t.test('what the front has to know is read', async (t) => {
  const defaults = {
    isClean: true,
    receiveMaximum: 65_535,
    packetBytesMax: Number.POSITIVE_INFINITY,
  }
  for (const version of [3, 4, 5] as const) {
    const expected = {
      version,
      clientId: 'phone',
      ...defaults,
      sessionExpiryS: 0,
      will: WILL,
      wantsReasons: version === 5,
    }
    t.same(readConnect(connect(version)), expected)
  }
  t.same(readConnect(connect(5, { ...FULL, clientId: '' })), {
    version: 5,
    clientId: '',
    isClean: true,
    receiveMaximum: 7,
    packetBytesMax: 900,
    sessionExpiryS: 30,
    will: WILL,
    wantsReasons: true,
  })
  const silent = { properties: { requestProblemInformation: false } }
  t.notOk(readConnect(connect(5, silent)).wantsReasons)
})

t.test('every truncation, at its word or not, is BAD_PACKET', async (t) => {
  for (const version of [3, 4, 5] as const) {
    const { bytes, bodyAt } = connect(version, version === 5 ? FULL : {})
    for (let end = bodyAt; end < bytes.length; end += 1) {
      const cut = { bytes: bytes.subarray(0, end), bodyAt }
      t.throws(() => readConnect(cut), { code: 'BAD_PACKET' })
    }
    const longer = { bytes: Buffer.concat([bytes, Buffer.of(0)]), bodyAt }
    t.throws(() => readConnect(longer), { code: 'BAD_PACKET' })
  }
})

const ID = 'phone'
/** CONNECT of MQTT 3.1.1 with these flags and what follows the keep alive. */
const four = (flags: number, ...rest: (number | string)[]) =>
  packetOf(0x10, 'MQTT', 4, flags, 0, 60, ...rest)
const five = (flags: number, ...rest: (number | string)[]) =>
  packetOf(0x10, 'MQTT', 5, flags, 0, 60, ...rest)

t.test('flags that contradict each other are BAD_PACKET', async (t) => {
  for (const [clause, frame] of [
    ['[MQTT-3.1.2-3]', four(0x01, ID)],
    ['[MQTT-3.1.2-13]', four(0x08, ID)],
    ['[MQTT-3.1.2-15]', four(0x20, ID)],
    ['[MQTT-3.1.2-14]', four(0x1e, ID, 'a', 'bye')],
    ['[MQTT-3.1.2-22]', four(0x42, ID, 'secret')],
    ['[MQTT-3.1.2-1]', packetOf(0x10, 'MQTX', 4, 2, 0, 60, ID)],
    ['[MQTT-1.5.3-2]', four(0x02, 'a\0b')],
  ] as const) {
    t.throws(() => readConnect(frame), { code: 'BAD_PACKET' }, clause)
  }
  t.equal(readConnect(four(0x02, ID)).clientId, ID)
  t.equal(readConnect(five(0x42, 0, ID, 'secret')).clientId, ID, 'MQTT 5 allows a lone password')
})

t.test('properties that cannot be are refused with the reason of each', async (t) => {
  for (const [code, ...properties] of [
    ['PROTOCOL_ERROR', 0x21, 0, 0],
    ['PROTOCOL_ERROR', 0x27, 0, 0, 0, 0],
    ['PROTOCOL_ERROR', 0x17, 2],
    ['PROTOCOL_ERROR', 0x21, 0, 1, 0x21, 0, 1],
    ['PROTOCOL_ERROR', 0x16, 0, 1, 65],
    ['AUTH_METHOD', 0x15, 0, 1, 65],
    ['BAD_PACKET', 0x23, 0, 1],
    ['BAD_PACKET', 0x18, 0, 0, 0, 1],
  ] as const) {
    t.throws(() => readConnect(five(2, properties.length, ...properties, ID)), { code })
  }
})

t.test('a will has properties of its own, and a delay', async (t) => {
  const properties = [0x18, 0, 0, 0, 9, 0x02, 0, 0, 0, 60, 0x03, 0, 1, 97]
  const frame = five(0x06, 0, ID, properties.length, ...properties, 'a', 'bye')
  t.match(readConnect(frame).will, {
    qos: 0,
    isRetained: false,
    properties: { messageExpiryInterval: 60, contentType: 'a' },
    delayS: 9,
  })
  t.equal(readConnect(five(0x02, 0, ID)).will, undefined)
})

t.test('a will that can never be published is BAD_TOPIC', async (t) => {
  for (const topic of ['', 'a/+', '#']) {
    t.throws(() => readConnect(four(0x06, ID, topic, 'bye')), { code: 'BAD_TOPIC' })
  }
})

t.test('a protocol that is not spoken is told in its own words', async (t) => {
  for (const [level, connack] of [
    [2, [0x20, 2, 0, 1]],
    [3, [0x20, 2, 0, 1]],
    [6, [0x20, 3, 0, 0x84, 0]],
  ] as const) {
    const frame = packetOf(0x10, 'MQTT', level, 2, 0, 60, ID)
    t.throws(() => readConnect(frame), { code: 'PROTOCOL_VERSION' })
    t.same(connackOf(frame, 0x84), Buffer.from(connack))
  }
})

t.test('MQTT 5 is told every reason, 3.1.1 has no words for it', async (t) => {
  t.same(connackOf(five(1, 0, ID), 0x81), Buffer.from([0x20, 3, 0, 0x81, 0]))
  t.equal(connackOf(four(1, ID), 0x81), undefined)
  t.equal(connackOf(packetOf(0x11), 0x81), undefined)
  t.equal(connackOf(packetOf(0x10), 0x81), undefined)
})

t.test('no bytes make it anything but a RelayError', async (t) => {
  const { bytes, bodyAt } = connect(5, FULL)
  for (let at = bodyAt; at < bytes.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const mutated = Buffer.from(bytes)
      mutated[at] = value
      try {
        readConnect({ bytes: mutated, bodyAt })
      } catch (error) {
        if (!(error instanceof RelayError)) t.fail(`byte ${at} = ${value}: ${error}`)
      }
    }
  }
})
