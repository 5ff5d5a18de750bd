import mqttPacket from 'mqtt-packet'
import t from 'tap'
import {
  encodeSuback,
  encodeUnsuback,
  readSubscribe,
  readUnsubscribe,
} from '../../src/broker/subscribe.ts'
import { frameOf, packetOf } from './frame.ts'

function subscribe(filters: string[], protocolVersion: 4 | 5) {
  const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }))
  const packet = {
    cmd: 'subscribe' as const,
    messageId: 0x1234,
    subscriptions,
    ...(protocolVersion === 5 ? { properties: { subscriptionIdentifier: 300 } } : {}),
  }
  return frameOf(mqttPacket.generate(packet, { protocolVersion }))
}

const read = (filters: string[], version: 4 | 5) =>
  readSubscribe(subscribe(filters, version), version)

for (const version of [4, 5] as const) {
  t.test(`the filters are read, protocol ${version}`, async (t) => {
    const filters = ['users/bob/inbox/#', '', 'größe/+']
    const identifier = version === 5 ? 300 : undefined
    t.match(read(filters, version), { packetId: 0x1234, identifier })
    t.same(
      read(filters, version).requests.map(({ filter }) => filter),
      filters,
    )
  })

  t.test(`every truncation is refused, protocol ${version}`, async (t) => {
    const { bytes, bodyAt } = subscribe(['users/bob/inbox/#'], version)
    for (let end = bodyAt; end < bytes.length; end += 1) {
      const cut = { bytes: bytes.subarray(0, end), bodyAt }
      t.throws(() => readSubscribe(cut, version), { message: /^a SUBSCRIBE/ })
    }
  })

  t.test(`UNSUBSCRIBE is read, and every truncation refused, protocol ${version}`, async (t) => {
    const unsubscriptions = ['a/#', 'größe/+']
    const packet = { cmd: 'unsubscribe', messageId: 7, unsubscriptions } as const
    const { bytes, bodyAt } = frameOf(mqttPacket.generate(packet, { protocolVersion: version }))
    t.same(readUnsubscribe({ bytes, bodyAt }, version), { packetId: 7, filters: unsubscriptions })
    for (let end = bodyAt; end < bytes.length; end += 1) {
      // What ends with the first filter is whole.
      if (end === bytes.length - Buffer.byteLength('größe/+') - 2) continue
      const cut = { bytes: bytes.subarray(0, end), bodyAt }
      t.throws(() => readUnsubscribe(cut, version), { message: /^an UNSUBSCRIBE/ })
    }
  })

  t.test(`SUBACK and UNSUBACK are read by others, protocol ${version}`, async (t) => {
    const parser = mqttPacket.parser({ protocolVersion: version })
    const packets: object[] = []
    parser.on('packet', (packet) => packets.push(packet))
    parser.parse(encodeSuback(0x1234, [0, 1, 2, 0x80], version))
    parser.parse(encodeUnsuback(0x1234, [0, 0x11], version))
    t.match(packets, [
      { cmd: 'suback', messageId: 0x1234, granted: [0, 1, 2, 0x80] },
      { cmd: 'unsuback', messageId: 0x1234, ...(version === 5 ? { granted: [0, 0x11] } : {}) },
    ])
  })
}

t.test(
  'packet identifier 0, QoS 3, reserved bits, and what is no UTF-8 are BAD_PACKET',
  async (t) => {
    for (const frame of [
      packetOf(0x82, 0, 0, 'a', 1),
      packetOf(0x82, 0, 1, 'a', 3),
      packetOf(0x82, 0, 1, 'a', 4),
      packetOf(0x82, 0, 1, Buffer.from([0xff]), 1),
      packetOf(0x82, 0, 1, 'a\0b', 1),
    ]) {
      t.throws(() => readSubscribe(frame, 4), { code: 'BAD_PACKET' })
    }
    for (const options of [0x40, 0x80, 3]) {
      t.throws(() => readSubscribe(packetOf(0x82, 0, 1, 0, 'a', options), 5), {
        code: 'BAD_PACKET',
      })
    }
  },
)

t.test(
  'no filter, retain handling 3, and no local where it is shared are PROTOCOL_ERROR',
  async (t) => {
    t.throws(() => readSubscribe(packetOf(0x82, 0, 1), 4), { code: 'PROTOCOL_ERROR' })
    for (const frame of [
      packetOf(0x82, 0, 1, 0),
      packetOf(0x82, 0, 1, 0, 'a', 0x30),
      packetOf(0x82, 0, 1, 0, '$share/g/a', 0x04),
      packetOf(0x82, 0, 1, 2, 0x0b, 0, 'a', 1),
    ]) {
      t.throws(() => readSubscribe(frame, 5), { code: 'PROTOCOL_ERROR' })
    }
    t.same(readSubscribe(packetOf(0x82, 0, 1, 0, 'a', 0x2d), 5).requests, [
      { filter: 'a', qos: 1, isNoLocal: true, isAsPublished: true, retained: 'never' },
    ])
  },
)

t.test(
  'UNSUBSCRIBE without a filter is PROTOCOL_ERROR, with what is no text BAD_PACKET',
  async (t) => {
    t.throws(() => readUnsubscribe(packetOf(0xa2, 0, 1), 4), { code: 'PROTOCOL_ERROR' })
    t.throws(() => readUnsubscribe(packetOf(0xa2, 0, 1, 0), 5), { code: 'PROTOCOL_ERROR' })
    for (const bad of [Buffer.from([0xc3]), Buffer.from('a\0b')]) {
      t.throws(() => readUnsubscribe(packetOf(0xa2, 0, 1, bad), 4), { code: 'BAD_PACKET' })
    }
    t.throws(() => readUnsubscribe(packetOf(0xa2, 0, 0, 'a'), 4), { code: 'BAD_PACKET' })
  },
)
