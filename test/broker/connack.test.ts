import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { encodeConnack } from '../../src/broker/connack.ts'
import { LIMITS } from '../../src/limits.ts'

const NOTHING = { isSessionPresent: false, assignedId: undefined, sessionExpiryS: undefined }

/** As another program reads it. */
function read(bytes: Buffer, protocolVersion: 3 | 4 | 5): unknown {
  let found: unknown
  const parser = mqttPacket.parser({ protocolVersion })
  parser.on('packet', (packet) => {
    found = packet
  })
  parser.parse(bytes)
  return found
}

t.test('3.1 and 3.1.1 are told of the session, as far as they know of that', async (t) => {
  t.same(encodeConnack(NOTHING, 4), Buffer.from([0x20, 2, 0, 0]))
  t.same(encodeConnack({ ...NOTHING, isSessionPresent: true }, 4), Buffer.from([0x20, 2, 1, 0]))
  t.same(encodeConnack({ ...NOTHING, isSessionPresent: true }, 3), Buffer.from([0x20, 2, 0, 0]))
})

t.test('MQTT 5 is told what the relay takes', async (t) => {
  t.match(read(encodeConnack(NOTHING, 5), 5), {
    sessionPresent: false,
    reasonCode: 0,
    properties: {
      receiveMaximum: LIMITS.receiveMax,
      topicAliasMaximum: LIMITS.topicAliasMax,
      maximumPacketSize: LIMITS.packetBytesMax,
    },
  })
  const all = { isSessionPresent: true, assignedId: 'größe', sessionExpiryS: 30 }
  t.match(read(encodeConnack(all, 5), 5), {
    sessionPresent: true,
    properties: { assignedClientIdentifier: 'größe', sessionExpiryInterval: 30 },
  })
})
