import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { connect, PERSISTENT_5 } from '../support/client.ts'
import { connectPacket, open, type RawClient, signIn } from '../support/raw.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const [CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL] = [2, 3, 4, 5, 6]
const [SUBACK, UNSUBACK, PINGRESP, DISCONNECT] = [9, 11, 13, 14]
const TOPIC = 'things/lamp/a'

type User = { name: string; password: string }

async function scene(t: Test) {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const lamp = { name: 'thing:lamp', password: await relay.addThing('lamp') }
  return { relay, alice: { name: 'alice', password: alice }, lamp }
}

/** A client of MQTT 5 that acknowledges nothing by itself, and whose session is kept. */
async function kept(t: Test, relay: TestRelay, user: User, clientId: string): Promise<RawClient> {
  const client = await open(t, relay, { version: 5 })
  const properties = { sessionExpiryInterval: 3600 }
  const packet = connectPacket(user, { version: 5, clientId, clean: false })
  client.send({ ...packet, properties } as Packet)
  await client.next(CONNACK)
  return client
}

async function subscribe(client: RawClient, topic: string, qos: 0 | 1 | 2 = 2): Promise<void> {
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
  await client.next(SUBACK)
}

/** What has come until now, all of it. */
async function settled(client: RawClient): Promise<Buffer[]> {
  client.send({ cmd: 'pingreq' })
  while (!client.frames.some((frame) => (frame[0] ?? 0) >> 4 === PINGRESP)) await client.change()
  return client.frames.splice(0).filter((frame) => (frame[0] ?? 0) >> 4 !== PINGRESP)
}

const identifierOf = (publish: Buffer): number =>
  publish.readUInt16BE(2 + 2 + publish.readUInt16BE(2))

t.test('what is on its way is completed after UNSUBSCRIBE [MQTT-3.10.4-3]', async (t) => {
  const { relay, alice, lamp } = await scene(t)
  const reader = await kept(t, relay, alice, 'reader')
  await subscribe(reader, 'things/#')
  const sender = await connect(t, relay, lamp)
  await sender.publish(TOPIC, 'x', { qos: 2 })
  const messageId = identifierOf(await reader.next(PUBLISH))
  reader.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['things/#'] })
  await reader.next(UNSUBACK)
  await sender.publish(TOPIC, 'y', { qos: 2 })
  reader.send({ cmd: 'pubrec', messageId })
  t.equal((await reader.next(PUBREL)).readUInt16BE(2), messageId)
  t.same(await settled(reader), [], 'and nothing new comes')
})

t.test('what a client refuses is not sent again [MQTT-4.4.0-2]', async (t) => {
  const { relay, alice, lamp } = await scene(t)
  const reader = await kept(t, relay, alice, 'reader')
  await subscribe(reader, 'things/#')
  const sender = await connect(t, relay, lamp)
  await sender.publish(TOPIC, 'one', { qos: 1 })
  await sender.publish(TOPIC, 'two', { qos: 2 })
  const one = identifierOf(await reader.next(PUBLISH))
  const two = identifierOf(await reader.next(PUBLISH))
  reader.send({ cmd: 'puback', messageId: one, reasonCode: 0x97 })
  reader.send({ cmd: 'pubrec', messageId: two, reasonCode: 0x80 })
  t.same(await settled(reader), [], 'no PUBREL either')
  reader.socket.destroy()
  const again = await kept(t, relay, alice, 'reader')
  t.same(await settled(again), [])
})

t.test('a client gets one CONNACK [MQTT-3.2.0-2]', async (t) => {
  const { relay, alice } = await scene(t)
  const client = await open(t, relay, { version: 5 })
  client.send(connectPacket(alice, { version: 5 }), { cmd: 'pingreq' })
  await client.next(CONNACK)
  t.same(await settled(client), [])
})

t.test('no packet explains itself to a client that does not want it', async (t) => {
  // [MQTT-3.1.2-28] [MQTT-3.1.2-29] [MQTT-3.2.2-19] [MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-4.12.0-6]
  const { relay, alice } = await scene(t)
  for (const asks of [false, true]) {
    const client = await open(t, relay, { version: 5 })
    const properties = { requestProblemInformation: asks, requestResponseInformation: asks }
    client.send({ ...connectPacket(alice, { version: 5 }), properties } as Packet)
    const connack = await client.next(CONNACK)
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    parser.on('packet', (packet) => {
      const found = Object.keys((packet as { properties?: object }).properties ?? {})
      t.same(found.sort(), ['maximumPacketSize', 'receiveMaximum', 'topicAliasMaximum'])
    })
    parser.parse(connack)
    const subscriptions = [{ topic: 'users/bob/inbox/#', qos: 1 as const }]
    client.send({ cmd: 'subscribe', messageId: 7, subscriptions })
    t.same(await client.next(SUBACK), Buffer.from([0x90, 4, 0, 7, 0, 0x87]))
    client.send({ cmd: 'unsubscribe', messageId: 8, unsubscriptions: ['a'] })
    t.same(await client.next(UNSUBACK), Buffer.from([0xb0, 4, 0, 8, 0, 0x11]))
    const publish = { cmd: 'publish', topic: 'forbidden', payload: 'x', dup: false } as const
    client.send({ ...publish, qos: 1, messageId: 9, retain: false })
    const puback = await client.next(PUBACK)
    if (!asks) t.same(puback, Buffer.from([0x40, 3, 0, 9, 0x87]))
    else t.match(puback.toString('latin1'), /alice may not publish to/)
    client.socket.write(Buffer.from([0x36, 2, 0, 0]))
    const bye = await client.next(DISCONNECT)
    t.equal(bye[2], 0x81)
    t.equal(bye.includes('QoS 3'), asks)
  }
})

t.test('a topic alias ends with its connection [MQTT-3.3.2-7]', async (t) => {
  const { relay, lamp } = await scene(t)
  const publish = (topic: string, messageId: number): Packet => {
    const properties = { topicAlias: 1 }
    const packet = { cmd: 'publish', topic, payload: 'x', qos: 1, messageId, properties } as const
    return { ...packet, dup: false, retain: false }
  }
  const first = await signIn(t, relay, lamp, { version: 5 })
  first.send(publish(TOPIC, 1), publish('', 2))
  await first.next(PUBACK)
  await first.next(PUBACK)
  first.socket.destroy()
  const second = await signIn(t, relay, lamp, { version: 5 })
  second.send(publish('', 1))
  t.ok(((await second.next(DISCONNECT))[2] ?? 0) >= 0x80)
})

t.test('user properties come as they were sent, retained, waiting or live', async (t) => {
  // Order, names that come again, empty values [MQTT-3.3.2-17] [MQTT-3.3.2-18].
  const { relay, alice, lamp } = await scene(t)
  const pairs = ['b', '1', 'a', '', 'b', '', '__proto__', 'x', 'b', '2']
  const properties = Buffer.concat(
    Array.from({ length: pairs.length / 2 }, (_, at) => {
      const [name = '', value = ''] = pairs.slice(2 * at)
      const part = Buffer.from([0x26, 0, name.length, ...Buffer.from(name), 0, value.length])
      return Buffer.concat([part, Buffer.from(value)])
    }),
  )
  const waiting = await kept(t, relay, alice, 'waiting')
  await subscribe(waiting, TOPIC, 1)
  waiting.socket.destroy()
  const live = await kept(t, relay, alice, 'live')
  await subscribe(live, TOPIC, 1)
  const sender = await signIn(t, relay, lamp, { version: 5 })
  const rest = Buffer.concat([
    Buffer.from([0, TOPIC.length]),
    Buffer.from(TOPIC),
    Buffer.from([0, 1, properties.length]),
    properties,
    Buffer.from('x'),
  ])
  sender.socket.write(Buffer.concat([Buffer.from([0x33, rest.length]), rest]))
  await sender.next(PUBACK)
  const again = await kept(t, relay, alice, 'waiting')
  const late = await kept(t, relay, alice, 'late')
  await subscribe(late, TOPIC, 1)
  for (const reader of [live, again, late]) {
    const publish = await reader.next(PUBLISH)
    t.ok(publish.includes(properties), 'byte for byte')
  }
})

t.test('signals keep their properties, and come once', async (t) => {
  // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-20] [MQTT-4.3.3-10]
  const { relay, alice } = await scene(t)
  const reader = await connect(t, relay, alice, { clientId: 'reader', protocolVersion: 5 })
  await reader.subscribe('users/alice/signals/#', 1)
  const sender = await kept(t, relay, alice, 'sender')
  const properties = {
    payloadFormatIndicator: true,
    contentType: 'text/plain',
    responseTopic: 'users/alice/signals/alice/answer',
    correlationData: Buffer.from('7'),
    userProperties: { mood: 'good' },
  }
  const topic = 'users/alice/signals/alice/typing'
  const publish = { cmd: 'publish', topic, payload: 'x', qos: 2, messageId: 5, properties } as const
  sender.send({ ...publish, dup: false, retain: true })
  await sender.next(PUBREC)
  sender.send({ ...publish, dup: true, retain: true })
  await sender.next(PUBREC)
  sender.socket.destroy()
  const again = await kept(t, relay, alice, 'sender')
  again.send({ ...publish, dup: true, retain: true })
  await again.next(PUBREC)
  await reader.settled()
  t.equal(reader.arrivals.length, 1)
  t.match(reader.arrivals, [{ qos: 0, isRetained: false, properties }])
})

t.test('No Local keeps away what the client itself publishes [MQTT-3.8.3-3]', async (t) => {
  const { relay, alice } = await scene(t)
  const profile = 'users/alice/profile'
  const phone = { ...PERSISTENT_5, clientId: 'phone' }
  const will = { topic: profile, payload: Buffer.from('own will'), qos: 1 as const, retain: false }
  const first = await connect(t, relay, alice, { ...phone, will })
  await first.mqtt.subscribeAsync(profile, { qos: 1, nl: true })
  const tablet = await connect(t, relay, alice, { clientId: 'tablet', protocolVersion: 5 })
  await tablet.mqtt.subscribeAsync(profile, { qos: 1, nl: true })
  await first.publish(profile, 'own')
  await tablet.publish(profile, 'of the other')
  await first.received(1)
  await first.drop()
  await tablet.received(2)
  t.same(tablet.texts, ['own', 'own will'])
  await tablet.publish(profile, 'meanwhile')
  const again = await connect(t, relay, alice, phone)
  await again.received(1)
  await again.settled()
  t.same([...first.texts, ...again.texts], ['of the other', 'meanwhile'])
})
