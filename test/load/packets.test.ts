import mqtt, { type Packet } from 'mqtt-packet'
import t from 'tap'
import {
  encodeConnect,
  encodeLength,
  encodeSubscribe,
  type MqttVersion,
  publishTemplate,
  stamp,
} from './packets.ts'

function read(bytes: Buffer, version: MqttVersion): Packet {
  const packets: Packet[] = []
  const parser = mqtt.parser({ protocolVersion: version })
  parser.on('packet', (packet: Packet) => packets.push(packet))
  parser.parse(bytes)
  const [packet] = packets
  if (packet === undefined) throw new Error('no whole packet')
  return packet
}

for (const version of [4, 5] as const) {
  t.test(`another implementation reads what is encoded for version ${version}`, async (t) => {
    const connect = { version, clientId: 'phone', username: 'bob', password: 'pw' }
    t.match(read(encodeConnect({ ...connect, clean: false }), version), {
      cmd: 'connect',
      clientId: 'phone',
      clean: false,
      username: 'bob',
      keepalive: 0,
    })
    t.match(read(encodeConnect({ version, clientId: 'x', clean: true }), version), { clean: true })
    t.match(read(encodeSubscribe(version, 300, 'users/bob/inbox/#', 1), version), {
      cmd: 'subscribe',
      messageId: 300,
      subscriptions: [{ topic: 'users/bob/inbox/#', qos: 1 }],
    })
    const template = publishTemplate(version, 'a/b', Buffer.from('hello'))
    stamp(template, 0xabcd, true)
    t.match(read(template.frame, version), {
      cmd: 'publish',
      topic: 'a/b',
      messageId: 0xabcd,
      dup: true,
      qos: 1,
      payload: Buffer.from('hello'),
    })
  })
}

t.test('a publish template can be written over in place', async (t) => {
  const template = publishTemplate(5, 'a/0', Buffer.from('x'.repeat(200)))
  template.frame.write('a/7', template.topicAt)
  template.frame.fill('y', template.payloadAt)
  stamp(template, 1, false)
  t.match(read(template.frame, 5), { topic: 'a/7', payload: Buffer.from('y'.repeat(200)) })
})

t.test('a length takes as many bytes as it needs', async (t) => {
  t.same(encodeLength(0), Buffer.from([0]))
  t.same(encodeLength(127), Buffer.from([127]))
  t.same(encodeLength(128), Buffer.from([0x80, 1]))
  t.same(encodeLength(268_435_455), Buffer.from([0xff, 0xff, 0xff, 0x7f]))
})
