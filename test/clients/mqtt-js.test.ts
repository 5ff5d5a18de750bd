/**
 * Plays MQTT.js 5, as web pages, Node-RED and Zigbee2MQTT use it: both versions over TCP and
 * WebSocket, with and without TLS; it reconnects by itself, subscribes again and sends what it has
 * queued; topic aliases that it assigns, sessions that last, and the properties of requests.
 */
import t from 'tap'
import { type ClientOptions, connect, type TestClient } from '../support/client.ts'
import type { TestRelay } from '../support/relay.ts'
import { layLine } from './cut-line.ts'
import { startLab } from './lab.ts'

const VERSIONS = [4, 5] as const
const CARRIERS = [
  { carrier: 'TCP', isWebSocket: false },
  { carrier: 'WebSocket', isWebSocket: true },
] as const
const KINDS = VERSIONS.flatMap((protocolVersion) =>
  CARRIERS.map(({ carrier, isWebSocket }) => ({
    name: `version ${protocolVersion} over ${carrier}`,
    options: { protocolVersion, isWebSocket } satisfies ClientOptions,
  })),
)
/** A client that does not give up. The library's own second between two tries is long here. */
const STUBBORN = { reconnectPeriod: 10 } as const satisfies ClientOptions

/** The port of the relay that a client talks to. */
function portOf(relay: TestRelay, { isWebSocket }: { isWebSocket: boolean }): number {
  return isWebSocket ? relay.httpPort : relay.mqttPort
}

/** Resolves when the client signs in, or loses its connection, the next time. */
async function next({ mqtt }: TestClient, event: 'connect' | 'close'): Promise<void> {
  await new Promise<void>((resolve) => mqtt.once(event, () => resolve()))
}

for (const { name, options } of KINDS) {
  t.test(`${name}: each QoS goes there and back`, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const reader = await connect(t, relay, bob, options)
    const sender = await connect(t, relay, alice, options)
    t.same(await reader.subscribe(['lab/#', 'users/bob/inbox/#'], 2), [2, 2])
    const payload = Buffer.from(Array.from({ length: 3_000 }, (_, at) => at % 256))
    for (const qos of [0, 1, 2] as const) await sender.publish(`lab/${qos}`, payload, { qos })
    for (const qos of [1, 2] as const) {
      await sender.publish(`users/bob/inbox/alice/m${qos}`, payload, { qos })
    }
    const arrivals = await reader.received(5)
    t.ok(arrivals.every((arrival) => arrival.payload.equals(payload)))
    t.same(arrivals.map(({ topic, qos }) => `${topic} ${qos}`).sort(), [
      'lab/0 0',
      'lab/1 1',
      'lab/2 2',
      'users/bob/inbox/alice/m1 1',
      'users/bob/inbox/alice/m2 2',
    ])
    await reader.unsubscribe('lab/#')
    await sender.publish('lab/1', 'unheard')
    await reader.settled()
    t.equal(reader.arrivals.length, 5)
  })

  t.test(`${name}: after a cut it is subscribed again`, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const line = await layLine(t, portOf(relay, options))
    const reader = await connect(t, relay, bob, { ...options, ...STUBBORN, port: line.port })
    await reader.subscribe(['lab/#', 'users/bob/inbox/#'])
    const sender = await connect(t, relay, alice)
    for (let round = 0; round < 3; round += 1) {
      const back = next(reader, 'connect')
      line.cut()
      line.mend()
      await back
      // The library subscribes again when it has signed in; this one comes after those.
      await reader.subscribe(`lab/marker/${round}`)
      await sender.publish(`lab/${round}`, `lab ${round}`)
      await sender.publish(`users/bob/inbox/alice/m${round}`, `mail ${round}`)
      await reader.received(2 * (round + 1))
    }
    t.same(reader.texts.sort(), ['lab 0', 'lab 1', 'lab 2', 'mail 0', 'mail 1', 'mail 2'])
  })

  t.test(`${name}: what it could not send goes out when it is back`, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const line = await layLine(t, portOf(relay, options))
    const reader = await connect(t, relay, bob)
    await reader.subscribe(['lab/#', 'users/bob/inbox/#'])
    const sender = await connect(t, relay, alice, { ...options, ...STUBBORN, port: line.port })
    line.cut()
    await next(sender, 'close')
    const names = Array.from({ length: 20 }, (_, at) => `m${at}`)
    const sent = names.flatMap((id) => [
      sender.publish(`users/bob/inbox/alice/${id}`, id),
      sender.publish('lab/a', id, { qos: 2 }),
    ])
    t.notOk(sender.mqtt.connected)
    line.mend()
    await Promise.all(sent)
    await reader.received(40)
    const texts = (prefix: string) =>
      reader.arrivals.filter(({ topic }) => topic.startsWith(prefix)).map(({ text }) => text)
    t.same(texts('users/'), names, 'mail, in order')
    t.same(texts('lab/'), names, 'the others, in order')
  })

  t.test(`${name}: what was not acknowledged is sent again, and mail is once`, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const line = await layLine(t, portOf(relay, options))
    const reader = await connect(t, relay, bob)
    await reader.subscribe('users/bob/inbox/#')
    const sender = await connect(t, relay, alice, { ...options, ...STUBBORN, port: line.port })
    line.deafen()
    const names = Array.from({ length: 10 }, (_, at) => `m${at}`)
    const sent = names.map((id) => sender.publish(`users/bob/inbox/alice/${id}`, id))
    // The relay has all of them, and its answers are lost.
    await reader.received(names.length)
    line.cut()
    line.mend()
    await Promise.all(sent)
    await reader.settled()
    t.same(reader.texts, names)
    t.match(await relay.ledger(), { accepted: names.length, queued: 0 })
  })
}

t.test('a session that lasts has its filters, and what came meanwhile', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const sender = await connect(t, relay, alice)
  for (const { name, options } of KINDS) {
    const lasting: ClientOptions = {
      ...options,
      clean: false,
      clientId: name,
      ...(options.protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    }
    const first = await connect(t, relay, bob, lasting)
    t.notOk(first.isResumed)
    await first.subscribe('lab/a')
    await first.end()
    for (const text of ['one', 'two']) await sender.publish('lab/a', text)
    const second = await connect(t, relay, bob, lasting)
    t.ok(second.isResumed, name)
    t.match(await second.received(2), [{ text: 'one' }, { text: 'two' }])
    await second.end()
    const clean = await connect(t, relay, bob, { ...lasting, clean: true })
    t.notOk(clean.isResumed)
    await sender.publish('lab/a', 'unheard')
    await clean.settled()
    t.same(clean.texts, [])
    await clean.end()
  }
})

t.test('a session that lasts goes on after a cut, without a new subscription', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const line = await layLine(t, relay.mqttPort)
  const sender = await connect(t, relay, alice)
  for (const protocolVersion of VERSIONS) {
    const reader = await connect(t, relay, bob, {
      ...STUBBORN,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
      protocolVersion,
      clean: false,
      clientId: `reader-${protocolVersion}`,
      resubscribe: false,
      port: line.port,
    })
    await reader.subscribe('lab/a', 2)
    line.cut()
    await next(reader, 'close')
    for (const qos of [1, 2] as const) await sender.publish('lab/a', `QoS ${qos}`, { qos })
    const back = next(reader, 'connect')
    line.mend()
    await back
    t.ok(reader.isResumed)
    await reader.received(2)
    t.same(reader.texts, ['QoS 1', 'QoS 2'], `version ${protocolVersion}`)
    await reader.end()
  }
})

t.test('topic aliases that it assigns stand for their topics, also after a cut', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const reader = await connect(t, relay, bob)
  await reader.subscribe(['lab/#', 'users/bob/inbox/#'])
  for (const { carrier, isWebSocket } of CARRIERS) {
    const line = await layLine(t, portOf(relay, { isWebSocket }))
    const sender = await connect(t, relay, alice, {
      ...STUBBORN,
      isWebSocket,
      port: line.port,
      autoAssignTopicAlias: true,
    })
    let aliased = 0
    sender.mqtt.on('packetsend', (packet) => {
      if (packet.cmd === 'publish' && packet.topic === '') aliased += 1
    })
    reader.arrivals.length = 0
    const wanted: string[] = []
    const round = async () => {
      // More topics than aliases: the library gives those away again.
      for (let at = 0; at < 60; at += 1) {
        const topic = `lab/${at % 3 === 0 ? 'often' : at % 20}`
        wanted.push(`${topic} ${wanted.length}`)
        await sender.publish(topic, String(wanted.length - 1))
      }
    }
    await round()
    t.ok(aliased > 10, `${aliased} without a topic over ${carrier}`)
    const back = next(sender, 'connect')
    line.cut()
    line.mend()
    await back
    await round()
    await reader.received(wanted.length)
    t.same(
      reader.arrivals.map(({ topic, text }) => `${topic} ${text}`),
      wanted,
    )
    await sender.end()
  }
})

t.test('a client that takes topic aliases gets each topic', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const reader = await connect(t, relay, bob, { properties: { topicAliasMaximum: 4 } })
  await reader.subscribe('lab/#')
  const sender = await connect(t, relay, alice)
  const topics = Array.from({ length: 24 }, (_, at) => `lab/${at % 6}`)
  for (const topic of topics) await sender.publish(topic, 'x')
  await reader.received(topics.length)
  t.same(
    reader.arrivals.map(({ topic }) => topic),
    topics,
  )
})

const REQUEST = {
  payloadFormatIndicator: true,
  messageExpiryInterval: 600,
  contentType: 'application/json',
  responseTopic: 'lab/answers/alice',
  correlationData: Buffer.from([0, 1, 2, 255]),
}

t.test('the properties of a request arrive, and its answer finds the way back', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  for (const isWebSocket of [false, true]) {
    const asker = await connect(t, relay, alice, {
      isWebSocket,
      properties: { requestResponseInformation: true, requestProblemInformation: true },
    })
    await asker.subscribe('lab/answers/alice')
    const responder = await connect(t, relay, bob, { isWebSocket })
    await responder.subscribe('lab/questions')
    responder.mqtt.on('message', (_topic, _payload, { properties }) => {
      const { responseTopic = '', correlationData } = properties ?? {}
      responder.mqtt.publish(responseTopic, 'yes', {
        qos: 1,
        ...(correlationData === undefined ? {} : { properties: { correlationData } }),
      })
    })
    const userProperties = { one: '1', many: ['a', 'b'] }
    await asker.publish('lab/questions', '{}', { properties: { ...REQUEST, userProperties } })
    const [question] = await responder.received(1)
    t.match(question?.properties, { ...REQUEST, messageExpiryInterval: Number })
    t.match(question?.userProperties, userProperties)
    const [answer] = await asker.received(1)
    t.match(answer, { text: 'yes', properties: { correlationData: REQUEST.correlationData } })
    await asker.end()
    await responder.end()
  }
})

t.test('its will comes when the line is cut', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const watcher = await connect(t, relay, bob)
  await watcher.subscribe('lab/will/#')
  for (const [at, { name, options }] of KINDS.entries()) {
    const line = await layLine(t, portOf(relay, options))
    const will = {
      topic: `lab/will/${at}`,
      payload: Buffer.from(name),
      qos: 1,
      retain: true,
    } as const
    await connect(t, relay, alice, { ...options, will, port: line.port })
    line.cut()
    await watcher.received(at + 1)
    t.match(watcher.arrivals.at(-1), { topic: will.topic, text: name })
  }
})

t.test('over TLS it signs in, comes back, and sends what it has queued', async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const reader = await connect(t, relay, bob)
  await reader.subscribe('lab/a')
  const secure: [ClientOptions, number][] = [
    [{ protocol: 'mqtts', protocolVersion: 4 }, relay.tlsPort],
    [{ protocol: 'wss', protocolVersion: 5, path: '/mqtt' }, relay.httpPort],
  ]
  for (const [at, [options, port]] of secure.entries()) {
    const line = await layLine(t, port)
    const client = await connect(t, relay, alice, {
      ...options,
      ...STUBBORN,
      port: line.port,
      ca: relay.authority,
    })
    line.cut()
    await next(client, 'close')
    const sent = client.publish('lab/a', `queued ${at}`)
    line.mend()
    await sent
    await reader.received(at + 1)
    t.equal(reader.texts.at(-1), `queued ${at}`)
    await client.end()
  }
})

t.test('a wrong password is said', async (t) => {
  const { relay } = await startLab(t)
  const wrong = { name: 'alice', password: 'wrong' }
  for (const { name, options } of KINDS) {
    const code = options.protocolVersion === 5 ? 134 : 4
    await t.rejects(connect(t, relay, wrong, options), { code }, name)
  }
})
