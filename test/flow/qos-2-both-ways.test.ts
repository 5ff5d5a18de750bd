import t from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open, signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const [PUBLISH, PUBREC, PUBREL, PUBCOMP] = [3, 5, 6, 7] as const

for (const version of [4, 5] as const) {
  t.test(`QoS 2 goes in and out in four steps, protocol ${version}`, async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const reader = await signIn(
      t,
      relay,
      { name: 'bob', password: bob },
      { version, clientId: 'p' },
    )
    reader.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 'users/bob/inbox/#', qos: 2 }],
    })
    await reader.next(9)
    const sender = await signIn(t, relay, { name: 'alice', password: alice }, { version })
    const publish = {
      cmd: 'publish',
      topic: 'users/bob/inbox/alice/m1',
      payload: 'hello',
      qos: 2,
      messageId: 7,
      dup: false,
      retain: false,
    } as const
    sender.send(publish)
    t.equal((await sender.next(PUBREC)).readUInt16BE(2), 7)
    sender.send({ ...publish, dup: true })
    t.equal((await sender.next(PUBREC)).readUInt16BE(2), 7, 'sent again, answered again')
    sender.send({ cmd: 'pubrel', messageId: 7 })
    t.equal((await sender.next(PUBCOMP)).readUInt16BE(2), 7)
    const arrived = await reader.next(PUBLISH)
    t.equal((arrived[0] ?? 0) & 0x06, 0x04, 'as QoS 2')
    const packetId = arrived.readUInt16BE(4 + 'users/bob/inbox/alice/m1'.length)
    reader.send({ cmd: 'pubrec', messageId: packetId })
    t.equal((await reader.next(PUBREL)).readUInt16BE(2), packetId)
    reader.send({ cmd: 'pubcomp', messageId: packetId })
    reader.send({ cmd: 'pingreq' })
    await reader.next(13)
    t.match(await relay.ledger(), { accepted: 1, delivered: 1, queued: 0 })
    t.notOk(reader.frames.some((frame) => (frame[0] ?? 0) >> 4 === PUBLISH))
  })
}

t.test('a device that has sent PUBREC and is gone is not sent the message again', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const options = { version: 4, clientId: 'phone', clean: false } as const
  const reader = await signIn(t, relay, me, options)
  const topic = 'users/bob/inbox/#'
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] })
  await reader.next(9)
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello', { qos: 2 })
  const arrived = await reader.next(PUBLISH)
  const packetId = arrived.readUInt16BE(4 + 'users/bob/inbox/alice/m1'.length)
  reader.send({ cmd: 'pubrec', messageId: packetId })
  await reader.next(PUBREL)
  reader.socket.destroy()
  await relay.restart()
  const again = await open(t, relay, options)
  again.send(connectPacket(me, options))
  t.equal((await again.next(PUBREL)).readUInt16BE(2), packetId, 'it goes on where it was')
  again.send({ cmd: 'pubcomp', messageId: packetId })
  again.send({ cmd: 'pingreq' })
  await again.next(13)
  t.match(await relay.ledger(), { delivered: 1, queued: 0 })
})

t.test('a 3.1.1 client may have a thousand QoS 2 publishes under way at once', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice }, { protocolVersion: 4 })
  const names = Array.from({ length: 1_000 }, (_, at) => `users/bob/inbox/alice/m${at}`)
  await Promise.all(names.map((topic) => sender.publish(topic, 'x', { qos: 2 })))
  t.match(await relay.ledger(), { accepted: 1_000 })
})

t.test('a PUBREL that comes twice in one write is answered twice [MQTT-4.3.3-2]', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const client = await signIn(t, relay, { name: 'alice', password: alice })
  for (const topic of ['users/alice/profile', 'users/bob/inbox/alice/m1']) {
    const publish = { cmd: 'publish', payload: '{}', qos: 2, dup: false, retain: false } as const
    client.send({ ...publish, topic, messageId: 7 })
    await client.next(PUBREC)
    client.send({ cmd: 'pubrel', messageId: 7 }, { cmd: 'pubrel', messageId: 7 })
    t.equal((await client.next(PUBCOMP)).readUInt16BE(2), 7)
    t.equal((await client.next(PUBCOMP)).readUInt16BE(2), 7)
  }
})
