import t from 'tap'
import { connectPacket, open, signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const CONNACK = 2
const DISCONNECT = 14

/** A packet of this first byte, with a body of less than 128 bytes. */
const packet = (first: number, ...body: number[]) => Buffer.from([first, body.length, ...body])
const a = [0, 1, 97]

t.test('MQTT 5 is told the reason, then the connection is closed', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  for (const [what, bytes, reason] of [
    ['QoS 3', packet(0x36, ...a, 0, 1, 0), 0x81],
    ['DUP with QoS 0', packet(0x38, ...a, 0), 0x81],
    ['a topic that is no UTF-8', packet(0x30, 0, 1, 0xff, 0), 0x81],
    ['an alias of 0', packet(0x30, ...a, 3, 0x23, 0, 0), 0x94],
    ['an alias past the bound', packet(0x30, ...a, 3, 0x23, 0, 17), 0x94],
    ['an alias that was never set', packet(0x30, 0, 0, 3, 0x23, 0, 1), 0x82],
    ['a property twice', packet(0x30, ...a, 4, 0x01, 0, 0x01, 0), 0x82],
    ['PUBACK with packet identifier 0', packet(0x40, 0, 0), 0x81],
    ['SUBSCRIBE with flags of its own', packet(0x80, 0, 1, 0, ...a, 0), 0x81],
    ['SUBSCRIBE without a filter', packet(0x82, 0, 1, 0), 0x82],
    ['UNSUBSCRIBE without a filter', packet(0xa2, 0, 1, 0), 0x82],
    ['PINGREQ with a body', packet(0xc0, 0), 0x81],
    ['a second CONNECT', packet(0x10, 0, 4, 77, 81, 84, 84, 5, 2, 0, 0, 0, 0, 0), 0x82],
    ['what only servers send', packet(0x20, 0, 0, 0), 0x82],
    ['AUTH without a method', packet(0xf0), 0x82],
    ['DISCONNECT with a reason of servers', packet(0xe0, 0x8b), 0x82],
    ['a packet beyond the bound', Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 0x95],
    ['a remaining length of five bytes', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), 0x81],
  ] as const) {
    const client = await signIn(t, relay, { name: 'alice', password: alice }, { version: 5 })
    client.socket.write(bytes)
    const disconnect = await client.next(DISCONNECT)
    t.equal(disconnect[2], reason, what)
    await client.ended()
  }
})

t.test('3.1.1 has no words for it: the connection is closed', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const client = await signIn(t, relay, { name: 'alice', password: alice })
  client.socket.write(packet(0x36, ...a, 0, 1))
  await client.ended()
  t.same(client.frames, [])
})

t.test('a CONNECT that cannot be taken gets a CONNACK that says why', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const mqtt = [0, 4, 77, 81, 84, 84]
  for (const [what, bytes, connack] of [
    ['level 6', packet(0x10, ...mqtt, 6, 2, 0, 0, 0, 0, 0), [0, 0x84, 0]],
    ['level 2', packet(0x10, ...mqtt, 2, 2, 0, 0, 0, 0), [0, 1]],
    ['a reserved flag', packet(0x10, ...mqtt, 5, 3, 0, 0, 0, 0, 0), [0, 0x81, 0]],
    ['Receive Maximum 0', packet(0x10, ...mqtt, 5, 2, 0, 0, 3, 0x21, 0, 0, 0, 0), [0, 0x82, 0]],
    [
      'enhanced authentication',
      packet(0x10, ...mqtt, 5, 2, 0, 0, 4, 0x15, ...a, 0, 0),
      [0, 0x8c, 0],
    ],
  ] as const) {
    const client = await open(t, relay, { version: 5 })
    client.socket.write(bytes)
    t.same([...(await client.next(CONNACK)).subarray(2)], connack, what)
    await client.ended()
  }
  const fine = await open(t, relay, { version: 5 })
  fine.send(connectPacket({ name: 'alice', password: alice }, { version: 5 }))
  t.equal((await fine.next(CONNACK))[3], 0, 'others are let in')
})
