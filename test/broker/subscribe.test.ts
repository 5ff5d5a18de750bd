import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { readSubscribe, refusalOf } from '../../src/broker/subscribe.ts'
import { LIMITS } from '../../src/limits.ts'
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

const many = (count: number) => Array.from({ length: count }, (_, at) => `a/${at}`)

for (const version of [4, 5] as const) {
  t.test(`the filters are read, protocol ${version}`, async (t) => {
    const filters = ['users/bob/inbox/#', '', 'größe/+']
    t.same(readSubscribe(subscribe(filters, version), version), { packetId: 0x1234, filters })
  })

  t.test(`every truncation is refused, protocol ${version}`, async (t) => {
    const { bytes, bodyAt } = subscribe(['users/bob/inbox/#'], version)
    for (let end = bodyAt; end < bytes.length; end += 1) {
      const cut = { bytes: bytes.subarray(0, end), bodyAt }
      t.throws(() => readSubscribe(cut, version), { message: /^a SUBSCRIBE/ })
    }
  })

  t.test(`at the bound aedes has it, beyond the whole is refused, ${version}`, async (t) => {
    const max = LIMITS.filtersPerSessionMax
    t.equal(refusalOf(read(many(max), version), version, many(max)), undefined)
    t.ok(refusalOf(read(['b'], version), version, many(max)))
    const suback = refusalOf(read(many(max + 1), version), version, [])
    const parser = mqttPacket.parser({ protocolVersion: version })
    parser.on('packet', (packet) => {
      t.match(packet, { cmd: 'suback', messageId: 0x1234 })
      const { granted } = packet as { granted?: number[] }
      t.same(granted, Array(max + 1).fill(version === 5 ? 0x97 : 0x80))
    })
    t.equal(parser.parse(suback ?? Buffer.alloc(0)), 0)
  })

  t.test(`the one name that is no key is refused, protocol ${version}`, async (t) => {
    const code = version === 5 ? 0x87 : 0x80
    const suback = refusalOf(read(['a', '__proto__'], version), version, [])
    t.same(suback?.subarray(-2), Buffer.from([code, code]))
    t.equal(refusalOf(read(['__proto__/a', 'constructor'], version), version, []), undefined)
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
    t.same(readSubscribe(packetOf(0x82, 0, 1, 0, 'a', 0x2d), 5), { packetId: 1, filters: ['a'] })
  },
)
