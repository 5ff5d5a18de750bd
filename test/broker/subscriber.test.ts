import { setImmediate } from 'node:timers/promises'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import type { Connection } from '../../src/broker/connection.ts'
import { Subscriber } from '../../src/broker/subscriber.ts'
import { LIMITS } from '../../src/limits.ts'
import { connect, PERSISTENT_5 } from '../support/client.ts'
import { KeptLog } from '../support/kept-log.ts'
import { type RawClient, signIn } from '../support/raw.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const [SUBACK, UNSUBACK, PUBLISH] = [9, 11, 3]

async function scene(t: Test) {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const me = { name: 'alice', password: alice }
  const lamp = await connect(t, relay, { name: 'thing:lamp', password }, { clientId: 'lamp' })
  return { relay, me, lamp }
}

type Wanted = { topic: string; qos?: 0 | 1 | 2; rh?: 0 | 1 | 2; rap?: boolean; nl?: boolean }

async function subscribe(client: RawClient, wanted: Wanted[], identifier = 0): Promise<number[]> {
  const subscriptions = wanted.map((one) => ({ qos: 1 as const, ...one }))
  const properties = identifier === 0 ? {} : { subscriptionIdentifier: identifier }
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions, properties } as Packet)
  return [...(await client.next(SUBACK)).subarray(-wanted.length)]
}

/** The next PUBLISH, as another program reads it. */
async function arrival(client: RawClient): Promise<object> {
  const bytes = await client.next(PUBLISH)
  return new Promise((resolve) => {
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    parser.on('packet', resolve)
    parser.parse(bytes)
  })
}

const five = (t: Test, relay: TestRelay, me: { name: string; password: string }) =>
  signIn(t, relay, me, { version: 5 })

t.test('each filter has its own code, equal ones too [MQTT-3.8.4-5]', async (t) => {
  const { relay, me } = await scene(t)
  const client = await five(t, relay, me)
  const filters = ['things/#', 'users/bob/inbox/#', 'a/#/b', 'things/#'].map((topic) => ({ topic }))
  t.same(await subscribe(client, filters), [1, 0x87, 0x8f, 1])
  const old = await signIn(t, relay, me, { clientId: 'old' })
  t.same(await subscribe(old, filters), [1, 0x80, 0x80, 1])
})

t.test('filters beyond the bound are refused, those of the session are not', async (t) => {
  const { relay, me } = await scene(t)
  const client = await five(t, relay, me)
  const many = Array.from({ length: LIMITS.filtersPerSessionMax }, (_, at) => ({
    topic: `things/${at}/#`,
  }))
  t.same(new Set(await subscribe(client, many)), new Set([1]))
  t.same(await subscribe(client, [{ topic: 'things/7/#' }]), [1], 'one that is there')
  t.same(await subscribe(client, [{ topic: 'things/new' }, { topic: 'things/7/#' }]), [0x97, 1])
})

t.test('of refused filters the log has one line for each packet', async (t) => {
  const { relay, me } = await scene(t)
  const client = await five(t, relay, me)
  const many = Array.from({ length: 300 }, (_, at) => ({ topic: `users/bob/inbox/${at}/#` }))
  t.same(new Set(await subscribe(client, many)), new Set([0x87]))
  const refusals = relay.lines.filter(({ fields }) => 'refused' in fields)
  t.match(refusals, [{ fields: { refused: 300, code: 'NOT_AUTHORIZED' } }])
  t.equal(refusals.length, 1)
})

t.test('UNSUBACK tells what was there [MQTT-3.11.3-1]', async (t) => {
  const { relay, me, lamp } = await scene(t)
  const client = await five(t, relay, me)
  await subscribe(client, [{ topic: 'things/#' }, { topic: '$share/g/things/#' }])
  const unsubscriptions = ['things/#', 'never', '$share/g/things/#']
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions })
  t.same([...(await client.next(UNSUBACK)).subarray(-3)], [0, 0x11, 0])
  await lamp.publish('things/lamp/a', 'x')
  client.send({ cmd: 'pingreq' })
  await client.next(13)
  t.same(client.frames, [], 'nothing comes any more')
})

t.test('one copy has the identifiers of all filters that match [MQTT-3.3.4-4]', async (t) => {
  const { relay, me, lamp } = await scene(t)
  const client = await five(t, relay, me)
  await subscribe(client, [{ topic: 'things/#', qos: 0 }], 5)
  await subscribe(client, [{ topic: 'things/+/a', qos: 2 }], 268_435_455)
  await subscribe(client, [{ topic: 'things/lamp/a', qos: 1 }])
  await lamp.publish('things/lamp/a', 'x', { qos: 2 })
  t.match(await arrival(client), {
    qos: 2,
    properties: { subscriptionIdentifier: [5, 268_435_455] },
  })
  client.send({ cmd: 'pingreq' })
  await client.next(13)
  t.same(client.frames, [], 'one copy')
})

t.test('mail has the identifiers of its filters, too [MQTT-3.3.4-3]', async (t) => {
  const { relay, me } = await scene(t)
  const client = await five(t, relay, me)
  await subscribe(client, [{ topic: 'users/alice/inbox/#' }], 7)
  const sender = await connect(t, relay, me, { clientId: 'sender' })
  await sender.publish('users/alice/inbox/alice/m1', 'x')
  t.match(await arrival(client), { properties: { subscriptionIdentifier: 7 } })
})

t.test('identifiers are part of a session that waits [MQTT-3.3.4-3]', async (t) => {
  const { relay, me, lamp } = await scene(t)
  const options = { version: 5, clientId: 'phone', clean: false } as const
  const kept = { properties: { sessionExpiryInterval: 100 } }
  const first = await connect(t, relay, me, { ...PERSISTENT_5, ...kept, clientId: 'phone' })
  await first.mqtt.subscribeAsync('things/#', { qos: 1, properties: { subscriptionIdentifier: 9 } })
  await first.end()
  await lamp.publish('things/lamp/a', 'x')
  const again = await signIn(t, relay, me, options)
  t.match(await arrival(again), { properties: { subscriptionIdentifier: 9 } })
})

t.test('of a group one gets each message, and nothing that is retained', async (t) => {
  const { relay, me, lamp } = await scene(t)
  await lamp.publish('things/lamp/old', 'old', { retain: true })
  const workers = [
    await connect(t, relay, me, { clientId: 'w1', protocolVersion: 5 }),
    await connect(t, relay, me, { clientId: 'w2', protocolVersion: 4 }),
  ]
  for (const worker of workers) t.same(await worker.subscribe('$share/g/things/#'), [1])
  const watcher = await connect(t, relay, me, { clientId: 'watcher' })
  await watcher.subscribe('$share/other/things/lamp/+')
  for (let at = 0; at < 10; at += 1) await lamp.publish('things/lamp/a', `${at}`)
  await watcher.received(10)
  for (const worker of workers) await worker.received(5)
  for (const client of [...workers, watcher]) await client.settled()
  t.same(
    workers.map(({ arrivals }) => arrivals.length),
    [5, 5],
  )
  t.same(
    workers.flatMap(({ texts }) => texts).sort(),
    Array.from({ length: 10 }, (_, at) => `${at}`),
  )
  await workers[0]?.drop()
  for (let at = 0; at < 3; at += 1) await lamp.publish('things/lamp/a', 'more')
  await workers[1]?.received(8)
})

t.test('retain as published, also in a session that waits [MQTT-3.3.1-13]', async (t) => {
  const { relay, me, lamp } = await scene(t)
  const kept = { ...PERSISTENT_5, clientId: 'phone' }
  const first = await connect(t, relay, me, kept)
  await first.mqtt.subscribeAsync('things/#', { qos: 1, rap: true })
  await lamp.publish('things/lamp/a', 'here', { retain: true })
  await first.received(1)
  await first.settled()
  await first.end()
  await lamp.publish('things/lamp/a', 'away', { retain: true })
  await lamp.publish('things/lamp/b', 'plain')
  const again = await connect(t, relay, me, kept)
  await again.received(2)
  await again.settled()
  t.match(first.arrivals, [{ text: 'here', isRetained: true }])
  t.equal(first.arrivals.length, 1)
  t.match(again.arrivals, [
    { text: 'away', isRetained: true },
    { text: 'plain', isRetained: false },
  ])
  t.equal(again.arrivals.length, 2)
})

t.test('SUBACK and UNSUBACK wait for the disk, and a subscription for its SUBACK', async (t) => {
  const happened: string[] = []
  let commit = Promise.withResolvers<void>()
  const session = { subscriptions: new Map(), bring: () => happened.push('retained') }
  const parts = {
    gate: { grant: (_: unknown, filter: string) => ({ filter }) },
    topics: {
      record: () => happened.push('recorded'),
      subscribe: () => happened.push('subscribed'),
      unsubscribe: () => happened.push('unsubscribed') > 0,
    },
    store: { committed: () => commit.promise },
    log: new KeptLog(),
  }
  const subscriber = new Subscriber(parts as unknown as ConstructorParameters<typeof Subscriber>[0])
  const connection = {
    ordinary: session,
    version: 5,
    isClosed: false,
    filters: [],
    write: ([first = 0]: Buffer) => happened.push(`packet ${first >> 4}`),
  } as unknown as Connection
  const options = { isNoLocal: false, isAsPublished: false, retained: 'always' } as const
  const requests = [{ filter: 'a', qos: 1, ...options } as const]
  const subscribed = subscriber.subscribe(connection, { packetId: 1, requests, identifier: 0 })
  await setImmediate()
  t.same(happened.splice(0), ['recorded'])
  commit.resolve()
  await subscribed
  t.same(happened.splice(0), ['subscribed', 'packet 9', 'retained'])
  commit = Promise.withResolvers()
  const left = subscriber.unsubscribe(connection, { packetId: 2, filters: ['a'] })
  await setImmediate()
  t.same(happened.splice(0), ['unsubscribed'])
  commit.resolve()
  await left
  t.same(happened, ['packet 11'])
})
