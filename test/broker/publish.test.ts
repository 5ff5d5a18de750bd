import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { Framer } from '../../src/broker/framer.ts'
import { encodeProperties } from '../../src/broker/properties.ts'
import { encodePublish, readPublish } from '../../src/broker/publish.ts'
import type { Outgoing } from '../../src/delivery/port.ts'
import { RelayError } from '../../src/errors.ts'

const OUTGOING: Outgoing = {
  topic: 'users/bob/inbox/alice/m1',
  payload: Buffer.from('héllo'),
  qos: 1,
  packetId: 0x8001,
  isDuplicate: false,
  properties: { contentType: 'text/plain', userProperties: [['mood', 'good']] },
  expiresInS: 60,
  marks: [['waypost-from', 'alice']],
}

const PROPERTIES_BYTES = encodeProperties(
  OUTGOING.properties,
  OUTGOING.expiresInS,
  OUTGOING.marks,
).length

function framed(bytes: Buffer) {
  const framer = new Framer(Number.POSITIVE_INFINITY)
  framer.push(bytes)
  const frame = framer.next()
  if (frame === undefined) throw new Error('no whole packet')
  return frame
}

for (const version of [3, 4, 5] as const) {
  for (const qos of [0, 1, 2] as const) {
    t.test(`QoS ${qos} of protocol ${version} is read by others, and by us`, async (t) => {
      const packetId = qos === 0 ? 0 : OUTGOING.packetId
      const bytes = encodePublish({ ...OUTGOING, qos, packetId, isDuplicate: qos === 1 }, version)
      const parser = mqttPacket.parser({ protocolVersion: version })
      parser.on('packet', (packet) => {
        t.match(packet, {
          cmd: 'publish',
          topic: OUTGOING.topic,
          payload: OUTGOING.payload,
          qos,
          dup: qos === 1,
          retain: false,
          ...(qos === 0 ? {} : { messageId: packetId }),
          ...(version === 5 ? { properties: { messageExpiryInterval: 60 } } : {}),
        })
      })
      t.equal(parser.parse(bytes), 0)
      const properties =
        version === 5
          ? {
              contentType: 'text/plain',
              messageExpiryInterval: 60,
              userProperties: [
                ['mood', 'good'],
                ['waypost-from', 'alice'],
              ],
            }
          : {}
      t.same(readPublish(framed(bytes), version), {
        topic: OUTGOING.topic,
        qos,
        isRetained: false,
        packetId,
        payload: OUTGOING.payload,
        properties,
        propertiesBytes: version === 5 ? PROPERTIES_BYTES : 0,
      })
    })

    t.test(`every truncation of QoS ${qos}, protocol ${version}, is BAD_PACKET`, async (t) => {
      const { bytes, bodyAt } = framed(encodePublish({ ...OUTGOING, qos }, version))
      const payloadAt = bytes.length - OUTGOING.payload.length
      for (let end = bodyAt; end < bytes.length; end += 1) {
        const cut = { bytes: bytes.subarray(0, end), bodyAt }
        if (end < payloadAt) t.throws(() => readPublish(cut, version), { code: 'BAD_PACKET' })
        else t.ok(readPublish(cut, version), 'a payload may have any length')
      }
    })
  }
}

t.test('what may not be published is BAD_PACKET', async (t) => {
  const publish = (flags: number, topic: Buffer | string, ...rest: number[]) => {
    const name = Buffer.from(topic)
    const body = Buffer.concat([Buffer.from([0, name.length]), name, Buffer.from(rest)])
    return framed(Buffer.concat([Buffer.from([0x30 | flags, body.length]), body]))
  }
  for (const frame of [
    publish(0x06, 'a', 0, 1),
    publish(0x02, 'a', 0, 0),
    publish(0x00, ''),
    publish(0x00, 'a/+'),
    publish(0x00, '#'),
    publish(0x00, 'a\0b'),
    publish(0x00, Buffer.from([0xff, 0xfe])),
    publish(0x00, Buffer.from([0xed, 0xa0, 0x80])),
  ]) {
    t.throws(() => readPublish(frame, 4), { code: 'BAD_PACKET' })
  }
  t.match(readPublish(publish(0x01, 'a'), 4), { isRetained: true, topic: 'a' })
})

t.test('no bytes at all make it anything but a RelayError', async (t) => {
  const { bytes, bodyAt } = framed(encodePublish(OUTGOING, 5))
  for (let at = 0; at < bytes.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const mutated = Buffer.from(bytes)
      mutated[at] = value
      try {
        readPublish({ bytes: mutated, bodyAt }, 5)
      } catch (error) {
        if (!(error instanceof RelayError)) t.fail(`byte ${at} = ${value}: ${error}`)
      }
    }
  }
})
