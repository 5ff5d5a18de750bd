/**
 * Plays Paho for Python (Debian: python3-paho-mqtt), which scripts, OwnTracks recorders and Home
 * Assistant are made with: each version, each QoS, properties, subscription options, what it says
 * when it is refused, and each transport.
 */
import t from 'tap'
import { startLab } from './lab.ts'
import { connectPaho, makePaho, type PahoOptions, skip } from './paho-client.ts'

const VERSIONS = [3, 4, 5] as const

for (const version of VERSIONS) {
  t.test(`version ${version}: each QoS goes there and back`, { skip }, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const reader = await connectPaho(t, relay, bob, { version, clientId: 'reader' })
    t.same(await reader.subscribe(['lab/#', 'users/bob/inbox/#'], 2), [2, 2])
    const sender = await connectPaho(t, relay, alice, { version, clientId: 'sender' })
    for (const qos of [0, 1, 2]) await sender.publish(`lab/${qos}`, `QoS ${qos}`, { qos })
    for (const qos of [1, 2]) await sender.publish(`users/bob/inbox/alice/m${qos}`, 'hi', { qos })
    const messages = await reader.received(5)
    t.same(messages.map(({ topic, text, qos }) => `${topic} ${text} ${qos}`).sort(), [
      'lab/0 QoS 0 0',
      'lab/1 QoS 1 1',
      'lab/2 QoS 2 2',
      'users/bob/inbox/alice/m1 hi 1',
      'users/bob/inbox/alice/m2 hi 2',
    ])
    await reader.unsubscribe(['lab/#'])
    await sender.publish('lab/1', 'unheard')
    await sender.publish('users/bob/inbox/alice/m3', 'heard')
    t.equal((await reader.received(6)).at(-1)?.text, 'heard')
    for (const client of [reader, sender]) await client.disconnect()
  })
}

t.test('many messages in flight at once arrive, in order', { skip }, async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const reader = await connectPaho(t, relay, bob, { version: 5 })
  await reader.subscribe(['lab/#', 'users/bob/inbox/#'], 2)
  const sender = await connectPaho(t, relay, alice, { version: 5 })
  const names = Array.from({ length: 100 }, (_, at) => `m${at}`)
  // The library keeps 20 of them on their way and queues the rest.
  await Promise.all(
    names.flatMap((name) => [
      sender.publish('lab/a', name, { qos: 2 }),
      sender.publish(`users/bob/inbox/alice/${name}`, name, { qos: 1 }),
    ]),
  )
  const messages = await reader.received(2 * names.length)
  const texts = (prefix: string) =>
    messages.filter(({ topic }) => topic.startsWith(prefix)).map(({ text }) => text)
  t.same(texts('users/'), names)
  t.same(texts('lab/'), names)
  t.equal(messages.length, 2 * names.length)
})

const REQUEST = {
  PayloadFormatIndicator: 1,
  ContentType: 'application/json',
  ResponseTopic: 'lab/answers',
  CorrelationData: 'c-17',
  UserProperty: [
    ['colour', 'blue'],
    ['colour', 'dark blue'],
  ],
}

t.test('properties arrive as they were sent', { skip }, async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const reader = await connectPaho(t, relay, bob, { version: 5, clientId: 'reader' })
  await reader.subscribe(['lab/#', 'users/bob/inbox/#'])
  const sender = await connectPaho(t, relay, alice, { version: 5 })
  const properties = { ...REQUEST, MessageExpiryInterval: 600 }
  for (const [at, topic] of ['lab/a', 'users/bob/inbox/alice/m1'].entries()) {
    await sender.publish(topic, '{}', { properties })
    const got = (await reader.received(at + 1))[at]?.properties ?? {}
    t.match(got, { ...REQUEST, UserProperty: Array }, topic)
    t.same((got['UserProperty'] as unknown[]).slice(0, 2), REQUEST.UserProperty, topic)
    const left = got['MessageExpiryInterval'] as number
    t.ok(left > 590 && left <= 600, `${topic}: ${left} s are left`)
  }
})

t.test('subscription options and identifiers do what they say', { skip }, async (t) => {
  const { relay, alice } = await startLab(t)
  const client = await connectPaho(t, relay, alice, { version: 5 })
  await client.publish('lab/kept', 'kept', { retain: true })
  await client.subscribe(['lab/own'], 1, { noLocal: true })
  await client.subscribe(['lab/kept'], 1, { retainHandling: 2, retainAsPublished: true })
  await client.subscribe(['lab/known'], 1, { properties: { SubscriptionIdentifier: 7 } })
  await client.publish('lab/own', 'not for me')
  await client.publish('lab/kept', 'live', { retain: true })
  await client.publish('lab/known', 'known')
  t.match(await client.received(2), [
    { text: 'live', retain: true },
    { text: 'known', properties: { SubscriptionIdentifier: [7] } },
  ])
})

t.test('what is refused is said', { skip }, async (t) => {
  const { relay, alice } = await startLab(t)
  for (const version of VERSIONS) {
    const wrong = makePaho(
      t,
      relay,
      { name: 'alice', password: 'wrong' },
      { version, loop: 'manual' },
    )
    const { code } = await wrong.connect()
    t.equal(code, version === 5 ? 134 : 4, `version ${version}`)
    wrong.command('disconnect')
    const client = await connectPaho(t, relay, alice, { version })
    const codes = await client.subscribe(['users/bob/inbox/#', 'lab/a'])
    t.same(codes, [version === 5 ? 135 : 128, 1], `version ${version}`)
  }
})

t.test('over WebSocket and TLS it is the same', { skip }, async (t) => {
  const { relay, alice } = await startLab(t)
  const authority = `${relay.dataDir}/tls/ca.crt`
  const ways: PahoOptions[] = [
    { version: 4, transport: 'websockets' },
    { version: 5, transport: 'websockets' },
    { version: 4, port: relay.tlsPort, authority },
    { version: 5, transport: 'websockets', authority },
  ]
  for (const way of ways) {
    const client = await connectPaho(t, relay, alice, way)
    await client.subscribe(['lab/a'], 2)
    const text = 'x'.repeat(100_000)
    await client.publish('lab/a', text, { qos: 2 })
    t.equal((await client.received(1))[0]?.text, text, JSON.stringify(way))
    await client.disconnect()
  }
})
