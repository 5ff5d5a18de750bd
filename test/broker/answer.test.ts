import t from 'tap'
import { Acknowledgements } from '../../src/broker/acknowledgements.ts'
import { answerTo, NOBODY } from '../../src/broker/answer.ts'
import { PacketIds } from '../../src/broker/packet-ids.ts'
import { RelayError } from '../../src/errors.ts'

const FULL = new RelayError('MAILBOX_FULL', 'too much waits')
const DENIED = new RelayError('NOT_AUTHORIZED', 'not yours')

function asker(version: 4 | 5) {
  const sent: Buffer[] = []
  const acknowledgements = new Acknowledgements((packet) => sent.push(packet))
  const explain = (packet: Buffer, why: string) =>
    version === 5 ? Buffer.concat([packet, Buffer.from(why)]) : packet
  return { version, acknowledgements, unreleased: new PacketIds(), sent, explain }
}

t.test('QoS 0 has no answer, and no place', async (t) => {
  const client = asker(5)
  const answer = answerTo(client, { qos: 0, packetId: 0 })
  t.equal(answer, NOBODY)
  answer.accepted()
  answer.refused(FULL)
  t.same(client.sent, [])
})

t.test('answers go out in the order of the publishes', async (t) => {
  const client = asker(4)
  const first = answerTo(client, { qos: 1, packetId: 1 })
  const second = answerTo(client, { qos: 2, packetId: 2 })
  second.accepted()
  t.same(client.sent, [])
  first.accepted()
  t.same(client.sent, [Buffer.from([0x40, 2, 0, 1]), Buffer.from([0x50, 2, 0, 2])])
})

t.test('MQTT 5 is told whether there was no room or no right', async (t) => {
  const client = asker(5)
  answerTo(client, { qos: 1, packetId: 1 }).refused(FULL)
  answerTo(client, { qos: 1, packetId: 2 }).refused(DENIED)
  t.same(client.sent, [
    Buffer.concat([Buffer.from([0x40, 3, 0, 1, 0x97]), Buffer.from('too much waits')]),
    Buffer.concat([Buffer.from([0x40, 3, 0, 2, 0x87]), Buffer.from('not yours')]),
  ])
})

t.test('a refusal in 3.1.1 is an acknowledgement', async (t) => {
  const client = asker(4)
  answerTo(client, { qos: 1, packetId: 1 }).refused(DENIED)
  t.same(client.sent, [Buffer.from([0x40, 2, 0, 1])])
})

t.test('a refused QoS 2 publish ends at PUBREC in MQTT 5, and goes on in 3.1.1', async (t) => {
  for (const version of [4, 5] as const) {
    const client = asker(version)
    answerTo(client, { qos: 2, packetId: 9 }).refused(FULL)
    t.equal(client.unreleased.delete(9), version === 4)
  }
})
