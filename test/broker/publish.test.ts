import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { encodeProperties } from '../../src/broker/properties.ts'
import { encodePublish, readPublish } from '../../src/broker/publish.ts'
import type { Outgoing } from '../../src/delivery/port.ts'
import { RelayError } from '../../src/errors.ts'
import { frameOf, packetOf } from './frame.ts'

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

const PROPERTIES_BYTES = encodeProperties(OUTGOING).length

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
      t.same(readPublish(frameOf(bytes), version), {
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
      const { bytes, bodyAt } = frameOf(encodePublish({ ...OUTGOING, qos }, version))
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
  for (const frame of [
    packetOf(0x36, 'a', 0, 1),
    packetOf(0x38, 'a'),
    packetOf(0x32, 'a', 0, 0),
    packetOf(0x30, ''),
    packetOf(0x30, 'a/+'),
    packetOf(0x30, '#'),
    packetOf(0x30, 'a\0b'),
    packetOf(0x30, Buffer.from([0xff, 0xfe])),
    packetOf(0x30, Buffer.from([0xed, 0xa0, 0x80])),
  ]) {
    t.throws(() => readPublish(frame, 4), { code: 'BAD_PACKET' })
  }
  t.match(readPublish(packetOf(0x31, 'a'), 4), { isRetained: true, topic: 'a' })
})

t.test('no bytes at all make it anything but a RelayError', async (t) => {
  const { bytes, bodyAt } = frameOf(encodePublish(OUTGOING, 5))
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
