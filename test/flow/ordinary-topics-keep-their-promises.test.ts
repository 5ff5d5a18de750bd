import type { Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { connect, PERSISTENT_4, PERSISTENT_5 } from '../support/client.ts'
import { connectPacket, open, type RawClient, signIn } from '../support/raw.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const [PUBLISH, PUBREC, PUBCOMP, SUBACK] = [3, 5, 7, 9] as const
const TOPIC = 'things/lamp/a'

async function people(t: Test, relay: TestRelay) {
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  return {
    lamp,
    lampUser: { name: 'thing:lamp', password },
    me: { name: 'alice', password: alice },
  }
}

function subscribe(client: RawClient, qos: 0 | 1 | 2): Promise<Buffer> {
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'things/#', qos }] })
  return client.next(SUBACK)
}

function packetIdOf(publish: Buffer): number {
  return publish.readUInt16BE(4 + TOPIC.length)
}

t.test('a packet identifier in use is given to no other message [MQTT-2.3.1-4]', async (t) => {
  const relay = await startRelay(t)
  const { lamp, me } = await people(t, relay)
  const phone = { clientId: 'phone', clean: false }
  const first = await signIn(t, relay, me, phone)
  await subscribe(first, 2)
  await lamp.publish(TOPIC, 'one', { qos: 2 })
  const unfinished = packetIdOf(await first.next(PUBLISH))
  first.socket.destroy()
  const second = await signIn(t, relay, me, phone)
  t.equal(packetIdOf(await second.next(PUBLISH)), unfinished, 'it comes again under its own')
  for (const text of ['two', 'three']) {
    await lamp.publish(TOPIC, text, { qos: 2 })
    t.not(packetIdOf(await second.next(PUBLISH)), unfinished)
  }
})

t.test('a filter with a wildcard brings no higher QoS than was granted', async (t) => {
  const relay = await startRelay(t)
  const { lamp, me } = await people(t, relay)
  await lamp.publish(TOPIC, 'kept', { qos: 1, retain: true })
  for (const qos of [0, 1] as const) {
    const watcher = await connect(t, relay, me, { clientId: `watcher-${qos}` })
    await watcher.subscribe('things/#', qos)
    await watcher.received(1)
    await lamp.publish(TOPIC, 'live', { qos: 2 })
    await watcher.received(2)
    t.match(watcher.arrivals, [
      { text: 'kept', qos },
      { text: 'live', qos },
    ])
  }
})

t.test('DUP says something of one way only [MQTT-3.3.1-3]', async (t) => {
  const relay = await startRelay(t)
  const { lampUser, me } = await people(t, relay)
  const lamp = await signIn(t, relay, lampUser, { clientId: 'again' })
  const watchers = await Promise.all(
    ([0, 1] as const).map(async (qos) => {
      const watcher = await connect(t, relay, me, { clientId: `watcher-${qos}` })
      await watcher.subscribe('things/#', qos)
      return watcher
    }),
  )
  const publish = { cmd: 'publish', topic: TOPIC, payload: 'x', qos: 1, messageId: 5 } as const
  lamp.send({ ...publish, dup: true, retain: false })
  for (const watcher of watchers) t.match(await watcher.received(1), [{ isDuplicate: false }])
})

t.test('a session that is resumed to its end gives what it has kept', async (t) => {
  const relay = await startRelay(t)
  const { lamp, me } = await people(t, relay)
  const before = await connect(t, relay, me, { ...PERSISTENT_5, clientId: 'phone' })
  await before.subscribe('things/#')
  await before.end()
  await lamp.publish(TOPIC, 'while away')
  const last = { protocolVersion: 5, clean: false, clientId: 'phone' } as const
  const after = await connect(t, relay, me, last)
  t.ok(after.isResumed)
  t.same(
    (await after.received(1)).map(({ text }) => text),
    ['while away'],
  )
  await after.end()
  t.notOk((await connect(t, relay, me, last)).isResumed, 'it has ended with its connection')
})

t.test('each filter has its code, in its place [MQTT-3.9.3-1]', async (t) => {
  const relay = await startRelay(t)
  const { me } = await people(t, relay)
  for (const version of [4, 5] as const) {
    const client = await signIn(t, relay, me, { version, clientId: `v${version}` })
    const filters = ['things/#', '7', 'things/#']
    const subscriptions = filters.map((topic, at) => ({ topic, qos: at === 2 ? 2 : 1 }) as const)
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    const denied = version === 5 ? 0x87 : 0x80
    t.same([...(await client.next(SUBACK)).subarray(-3)], [1, denied, 2])
  }
})

t.test('subscribing and unsubscribing in a row ends as it was asked for', async (t) => {
  const relay = await startRelay(t)
  const { lamp, me } = await people(t, relay)
  const client = await signIn(t, relay, me, { clientId: 'phone', clean: false })
  const ask = (messageId: number, qos: 0 | 1): Packet => ({
    cmd: 'subscribe',
    messageId,
    subscriptions: [{ topic: 'things/#', qos }],
  })
  const leave: Packet = { cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['things/#'] }
  client.send(ask(1, 1), leave, ask(2, 0), leave, ask(3, 1))
  for (let count = 0; count < 3; count += 1) await client.next(SUBACK)
  await lamp.publish(TOPIC, 'heard')
  await client.next(PUBLISH)
  client.send(ask(4, 0), leave)
  await client.next(11)
  await lamp.publish(TOPIC, 'not heard')
  client.send({ cmd: 'pingreq' })
  await client.next(13)
  t.notOk(client.frames.some((frame) => (frame[0] ?? 0) >> 4 === PUBLISH))
})

t.test('a filter that is left and taken again in one go is there', async (t) => {
  const relay = await startRelay(t)
  const { lamp, me } = await people(t, relay)
  const client = await signIn(t, relay, me, { clientId: 'phone', clean: false })
  await subscribe(client, 1)
  const subscriptions = [{ topic: 'things/#', qos: 1 as const }]
  client.send(
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['things/#'] },
    { cmd: 'subscribe', messageId: 3, subscriptions },
  )
  await client.next(SUBACK)
  client.send({ cmd: 'pingreq' })
  await client.next(13)
  await lamp.publish(TOPIC, 'heard')
  await client.next(PUBLISH)
})

t.test('each SUBSCRIBE of several in a row is counted before the next one', async (t) => {
  const relay = await startRelay(t)
  const { me } = await people(t, relay)
  const client = await signIn(t, relay, me, { clientId: 'phone', clean: false })
  const ask = (messageId: number): Packet => ({
    cmd: 'subscribe',
    messageId,
    subscriptions: Array.from({ length: LIMITS.filtersPerSessionMax / 2 + messageId }, (_, at) => ({
      topic: `things/${messageId}/${at}`,
      qos: 1 as const,
    })),
  })
  client.send(ask(0x01), ask(0x02))
  t.equal((await client.next(SUBACK)).at(-1), 1)
  t.equal((await client.next(SUBACK)).at(-1), 0x80, 'one too many')
})

t.test('a filter of 30,000 levels is not kept with the others of its packet', async (t) => {
  const relay = await startRelay(t)
  const { me } = await people(t, relay)
  const options = { clientId: 'phone', clean: false }
  const phone = await signIn(t, relay, me, options)
  const subscriptions = ['things/#', 'a/'.repeat(30_000)].map(
    (topic) => ({ topic, qos: 1 }) as const,
  )
  phone.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  t.same([...(await phone.next(SUBACK)).subarray(-2)], [1, 0x80])
  phone.socket.destroy()
  await signIn(t, relay, me, { ...options, clean: true })
  t.notOk(relay.lines.some(({ level }) => level === 'error'))
})

t.test('who says goodbye with an error leaves a will [MQTT-3.14.4-3]', async (t) => {
  const relay = await startRelay(t)
  const { lampUser, me } = await people(t, relay)
  const watcher = await connect(t, relay, me)
  await watcher.subscribe('things/#')
  for (const [at, reasonCode] of [0x00, 0x04, 0x80].entries()) {
    const lamp = await open(t, relay, { version: 5 })
    const will = { topic: 'things/lamp/will', payload: Buffer.from(`${at}`), qos: 0, retain: false }
    lamp.send({ ...connectPacket(lampUser, { version: 5, clientId: `l${at}` }), will } as Packet)
    await lamp.next(2)
    lamp.send({ cmd: 'disconnect', reasonCode })
    await lamp.ended()
  }
  await watcher.received(2)
  await watcher.settled()
  t.same(watcher.texts, ['1', '2'])
})

t.test('a sender without subscriptions has a session, too [MQTT-3.2.2-2]', async (t) => {
  const relay = await startRelay(t)
  const { lampUser, me } = await people(t, relay)
  const watcher = await connect(t, relay, me, { ...PERSISTENT_4, clientId: 'watcher' })
  await watcher.subscribe('things/#', 2)
  const options = { clientId: 'sender', clean: false }
  const sender = await signIn(t, relay, lampUser, options)
  const publish = { cmd: 'publish', topic: TOPIC, payload: 'x', qos: 2, messageId: 7 } as const
  sender.send({ ...publish, dup: false, retain: false })
  await sender.next(PUBREC)
  sender.socket.destroy()
  const again = await open(t, relay, options)
  again.send(connectPacket(lampUser, options))
  t.same(await again.next(2), Buffer.from([0x20, 2, 1, 0]), 'session present')
  again.send({ ...publish, dup: true, retain: false })
  await again.next(PUBREC)
  again.send({ cmd: 'pubrel', messageId: 7 })
  await again.next(PUBCOMP)
  await watcher.received(1)
  await watcher.settled()
  t.equal(watcher.arrivals.length, 1)
})
