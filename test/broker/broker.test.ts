import { once } from 'node:events'
import { createConnection } from 'node:net'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { connect, PERSISTENT_4, PERSISTENT_5 } from '../support/client.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

t.test('a refused filter starts nothing: no drain, no mail held', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const device = await connect(t, relay, me, { ...PERSISTENT_4, clientId: 'phone' })
  t.same(await device.subscribe(['users/bob/inbox/#', 'users/alice/inbox/#'], 1), [1, 0x80])
  const other = await connect(t, relay, me, { ...PERSISTENT_4, clientId: 'other' })
  t.same(await other.subscribe(['#', '$share/g/users/bob/inbox/#']), [0x80, 0x80])
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  await device.received(1)
  await device.settled()
  await other.settled()
  t.same(other.arrivals, [])
  t.match(await relay.ledger(), { queued: 0, delivered: 1 })
  await other.end()
  const back = await connect(t, relay, me, { ...PERSISTENT_4, clientId: 'other' })
  t.ok(back.isResumed, 'there is a session')
  await sender.publish('users/bob/inbox/alice/m2', 'again')
  await device.received(2)
  await back.settled()
  t.same(back.arrivals, [], 'of which refused filters are no part')
})

t.test(
  'of unsubscribed filters nothing comes, and what waited comes when they are back',
  async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const device = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
    const sender = await connect(t, relay, { name: 'alice', password: alice })
    await device.subscribe('users/bob/inbox/#')
    await sender.publish('users/bob/inbox/alice/m1', 'one')
    await device.received(1)
    await device.unsubscribe('users/bob/inbox/#')
    await sender.publish('users/bob/inbox/alice/m2', 'two')
    await device.settled()
    t.same(device.texts, ['one'])
    await device.subscribe('users/bob/inbox/alice/+')
    await device.received(2)
    t.same(device.texts, ['one', 'two'])
  },
)

t.test('mail waits no longer for a device that has unsubscribed', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const [phone, laptop] = [
    await connect(t, relay, me, { clientId: 'phone' }),
    await connect(t, relay, me, { clientId: 'laptop' }),
  ]
  await phone.subscribe('users/bob/inbox/#')
  await laptop.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await laptop.unsubscribe('users/bob/inbox/#')
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await phone.received(1)
  await phone.settled()
  t.match(await relay.ledger(), { queued: 0, delivered: 1 })
  await phone.drop()
  await sender.publish('users/bob/inbox/alice/m2', 'two')
  t.match(await relay.ledger(), { queued: 1 }, 'the end of a clean session is no unsubscribing')
})

t.test('a clean connect ends a kept session of ordinary topics', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const me = { name: 'alice', password: alice }
  for (const session of [PERSISTENT_4, PERSISTENT_5]) {
    const kept = { ...session, clientId: `c${session.protocolVersion}` }
    const first = await connect(t, relay, me, kept)
    await first.subscribe('things/#')
    await first.end()
    const second = await connect(t, relay, me, kept)
    t.ok(second.isResumed)
    await second.end()
    const clean = await connect(t, relay, me, { ...kept, clean: true, properties: {} })
    t.notOk(clean.isResumed)
    await clean.end()
    const third = await connect(t, relay, me, kept)
    t.notOk(third.isResumed)
    await third.end()
  }
})

t.test('a client id that cannot be one is refused', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const me = { name: 'alice', password: alice }
  for (const clientId of ['x'.repeat(129), 'a\nb', 'a\u007fb']) {
    await t.rejects(connect(t, relay, me, { clientId }), { code: 0x85 })
    await t.rejects(connect(t, relay, me, { clientId, protocolVersion: 4 }), { code: 2 })
  }
  await connect(t, relay, me, { clientId: 'x'.repeat(128) })
})

t.test('where anonymous clients are allowed, rules say what they may', async (t) => {
  const who = 'anonymous'
  const rules = [
    {
      who,
      topics: 'open/#',
      actions: ['publish' as const, 'subscribe' as const],
      effect: 'allow' as const,
    },
  ]
  const relay = await startRelay(t, { rules, keys: { 'access.anonymous': 'true' } })
  const stranger = await connect(t, relay, {})
  t.same(await stranger.subscribe(['open/+', 'users/alice/inbox/#', 'things/#']), [1, 0x87, 0x87])
  t.equal(await stranger.publishForReason('users/alice/inbox/anonymous/m1', 'x'), 0x87)
  await stranger.publish('open/door', 'x')
  await stranger.received(1)
})

t.test('by default a client has a name', async (t) => {
  const relay = await startRelay(t)
  await t.rejects(connect(t, relay, {}), { code: 0x86 })
})

t.test('an unknown user and a wrong password are refused alike', async (t) => {
  const relay = await startRelay(t)
  await relay.addUsers('alice')
  for (const name of ['alice', 'nobody', 'thing:alice', 'Alice', 'al/ice']) {
    await t.rejects(connect(t, relay, { name, password: 'wrong' }), { code: 0x86 })
  }
})

t.test('the window that a client names is kept to', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const texts = Array.from({ length: 20 }, (_, at) => `m${at}`)
  for (const text of texts) await sender.publish(`users/bob/inbox/alice/${text}`, text)
  const reader = await connect(
    t,
    relay,
    { name: 'bob', password: bob },
    { clientId: 'phone', properties: { receiveMaximum: 3 } },
  )
  let underWay = 0
  let most = 0
  reader.mqtt.on('packetreceive', ({ cmd }) => {
    if (cmd === 'publish') most = Math.max(most, ++underWay)
  })
  reader.mqtt.on('packetsend', ({ cmd }) => {
    if (cmd === 'puback') underWay -= 1
  })
  await reader.subscribe('users/bob/inbox/#')
  await reader.received(texts.length)
  t.same(reader.texts, texts)
  t.ok(most <= 3, `${most} under way`)
})

t.test('a device that does not acknowledge is sent no more than its window', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const count = LIMITS.inFlightPerDeviceMax + 10
  for (let at = 0; at < count; at += 1) await sender.publish(`users/bob/inbox/alice/m${at}`, 'x')
  const reader = await signIn(t, relay, { name: 'bob', password: bob })
  const topic = 'users/bob/inbox/#'
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
  for (let at = 0; at < LIMITS.inFlightPerDeviceMax; at += 1) await reader.next(3)
  reader.send({ cmd: 'pingreq' })
  await reader.next(13)
  t.notOk(reader.frames.some((frame) => (frame[0] ?? 0) >> 4 === 3))
})

t.test('each connection is counted while it is signed in', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const clients = async () => ((await relay.ask('status')) as { clients: number }).clients
  const silent = createConnection(relay.mqttPort, '127.0.0.1')
  t.teardown(() => silent.destroy())
  await once(silent, 'connect')
  t.equal(await clients(), 0)
  const one = await connect(t, relay, { name: 'alice', password: alice })
  t.equal(await clients(), 1)
  await one.end()
  t.equal(await clients(), 0)
})
