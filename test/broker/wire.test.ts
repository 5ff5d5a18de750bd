import mqttPacket from 'mqtt-packet'
import t from 'tap'
import {
  ackPacketId,
  ackReason,
  encodeAck,
  encodeDisconnect,
  explained,
  PACKET,
  packetType,
  REASON,
} from '../../src/broker/wire.ts'

function parsed(bytes: Buffer, protocolVersion: 4 | 5): mqttPacket.Packet | undefined {
  const parser = mqttPacket.parser({ protocolVersion })
  let found: mqttPacket.Packet | undefined
  parser.on('packet', (packet) => {
    found = packet
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.parse(bytes)
  return found
}

for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
  t.test(`${type} is read by others, and by us`, async (t) => {
    for (const version of [4, 5] as const) {
      const failure = type === 'puback' || type === 'pubrec' ? 0x87 : 0x92
      for (const reason of [REASON.success, failure]) {
        const bytes = encodeAck(type, 0x1234, version, reason)
        const isTold = version === 5 && reason !== REASON.success
        t.match(parsed(bytes, version), {
          cmd: type,
          messageId: 0x1234,
          ...(isTold ? { reasonCode: reason } : {}),
        })
        t.equal(packetType(bytes), PACKET[type])
        t.equal(ackPacketId({ bytes, bodyAt: 2 }), 0x1234)
        t.equal(ackReason({ bytes, bodyAt: 2 }), version === 5 ? reason : REASON.success)
      }
    }
  })
}

t.test('an acknowledgement that is cut off has no packet identifier', async (t) => {
  for (const bytes of [Buffer.from([0x40, 0]), Buffer.from([0x40, 1, 0x12])]) {
    t.equal(ackPacketId({ bytes, bodyAt: 2 }), 0)
    t.equal(ackReason({ bytes, bodyAt: 2 }), REASON.success)
  }
  t.equal(packetType(Buffer.alloc(0)), 0)
})

t.test('a DISCONNECT says why', async (t) => {
  const bytes = encodeDisconnect(REASON.sessionTakenOver)
  t.match(parsed(bytes, 5), { cmd: 'disconnect', reasonCode: 0x8e })
})

t.test('a reason string follows the reason code, where the client has room for it', async (t) => {
  const long = 'x'.repeat(200)
  const ack = encodeAck('puback', 7, 5, 0x87)
  const properties = { reasonString: 'größe' }
  t.match(parsed(explained(ack, 'größe', 100), 5), { messageId: 7, reasonCode: 0x87, properties })
  const bye = encodeDisconnect(0x95)
  t.match(parsed(explained(bye, long, 1_000), 5), {
    reasonCode: 0x95,
    properties: { reasonString: long },
  })
  const whole = explained(ack, 'why', 1_000)
  t.same(explained(ack, 'why', whole.length), whole)
  t.same(explained(ack, 'why', whole.length - 1), ack, 'no longer than the client takes')
  t.same(explained(ack, 'x'.repeat(257), 1_000), ack)
})
