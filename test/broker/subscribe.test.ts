import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { Framer } from '../../src/broker/framer.ts'
import { readSubscribe, refusalOf } from '../../src/broker/subscribe.ts'
import { LIMITS } from '../../src/limits.ts'

function subscribe(filters: string[], protocolVersion: 4 | 5) {
  const framer = new Framer(Number.POSITIVE_INFINITY)
  const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }))
  const packet = {
    cmd: 'subscribe' as const,
    messageId: 0x1234,
    subscriptions,
    ...(protocolVersion === 5 ? { properties: { subscriptionIdentifier: 300 } } : {}),
  }
  framer.push(mqttPacket.generate(packet, { protocolVersion }))
  const frame = framer.next()
  if (frame === undefined) throw new Error('no whole packet')
  return frame
}

const many = (count: number) => Array.from({ length: count }, (_, at) => `a/${at}`)

for (const version of [4, 5] as const) {
  t.test(`the filters are read, protocol ${version}`, async (t) => {
    const filters = ['users/bob/inbox/#', '', 'größe/+']
    t.same(readSubscribe(subscribe(filters, version), version), { packetId: 0x1234, filters })
  })

  t.test(`every truncation is BAD_PACKET, protocol ${version}`, async (t) => {
    const { bytes, bodyAt } = subscribe(['users/bob/inbox/#'], version)
    for (let end = bodyAt; end < bytes.length; end += 1) {
      t.throws(() => readSubscribe({ bytes: bytes.subarray(0, end), bodyAt }, version), {
        code: 'BAD_PACKET',
      })
    }
  })

  t.test(`at the bound aedes has it, beyond the whole is refused, ${version}`, async (t) => {
    const max = LIMITS.filtersPerSessionMax
    t.equal(refusalOf(subscribe(many(max), version), version, many(max)), undefined)
    t.ok(refusalOf(subscribe(['b'], version), version, many(max)))
    const suback = refusalOf(subscribe(many(max + 1), version), version, [])
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
    const suback = refusalOf(subscribe(['a', '__proto__'], version), version, [])
    t.same(suback?.subarray(-2), Buffer.from([code, code]))
    t.equal(refusalOf(subscribe(['__proto__/a', 'constructor'], version), version, []), undefined)
  })
}

t.test('no filter, packet identifier 0, and what is no UTF-8 are BAD_PACKET', async (t) => {
  for (const body of [
    [0, 1],
    [0, 0, 0, 1, 97, 1],
    [0, 1, 0, 1, 0xff, 1],
  ]) {
    const bytes = Buffer.from([0x82, body.length, ...body])
    t.throws(() => readSubscribe({ bytes, bodyAt: 2 }, 4), { code: 'BAD_PACKET' })
  }
})
