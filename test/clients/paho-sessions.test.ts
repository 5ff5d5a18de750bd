/**
 * Plays Paho for Python (Debian: python3-paho-mqtt) where it comes back and where it goes: each way
 * to run its network loop, sessions that last, and wills.
 */
import t from 'tap'
import { connect } from '../support/client.ts'
import { layLine } from './cut-line.ts'
import { startLab } from './lab.ts'
import { connectPaho, makePaho, type PahoOptions, skip } from './paho-client.ts'

const VERSIONS = [3, 4, 5] as const
const LOOPS = ['thread', 'forever', 'manual', 'sockets'] as const

for (const loop of LOOPS) {
  t.test(`with its loop by ${loop} it comes back, with what it has queued`, { skip }, async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const watcher = await connect(t, relay, bob)
    await watcher.subscribe('lab/up')
    for (const version of [4, 5] as const) {
      const line = await layLine(t, relay.mqttPort)
      const client = await connectPaho(t, relay, alice, { version, loop, port: line.port })
      t.same(await client.subscribe(['lab/down']), [1])
      line.cut()
      await client.happened('disconnected')
      const qos = version === 4 ? 1 : 2
      const sent = ['one', 'two', 'three'].map((text) => client.publish('lab/up', text, { qos }))
      line.mend()
      await client.happened('connected', 2)
      await Promise.all(sent)
      // A clean session: the program subscribes again, as its on_connect would.
      t.same(await client.subscribe(['lab/down']), [1])
      await watcher.publish('lab/down', `version ${version}`)
      t.equal((await client.received(1))[0]?.text, `version ${version}`)
      await client.disconnect()
    }
    await watcher.received(6)
    t.same(watcher.texts, ['one', 'two', 'three', 'one', 'two', 'three'])
  })
}

t.test('a session that lasts keeps what came meanwhile', { skip }, async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const sender = await connect(t, relay, alice)
  const lasting: [string, PahoOptions][] = [
    ['version 3', { version: 3, clean: false }],
    ['version 4', { version: 4, clean: false }],
    ['version 5', { version: 5, clean: false, properties: { SessionExpiryInterval: 600 } }],
  ]
  for (const [clientId, options] of lasting) {
    const first = await connectPaho(t, relay, bob, { ...options, clientId })
    await first.subscribe(['lab/a'], 2)
    await first.disconnect()
    const texts = ['one', 'two', 'three']
    for (const text of texts) await sender.publish('lab/a', text, { qos: 2 })
    const second = makePaho(t, relay, bob, { ...options, clientId })
    const { code, present } = await second.connect()
    if (options.version !== 3) t.same([code, present], [0, 1], clientId)
    await second.received(3)
    t.same(second.texts, texts, clientId)
    await second.disconnect()
  }
})

t.test('with MQTT 3.1 that byte of CONNACK is reserved', { skip }, async (t) => {
  const { relay, bob } = await startLab(t)
  const options = { version: 3, clean: false, clientId: 'desk' } as const
  const first = await connectPaho(t, relay, bob, options)
  await first.subscribe(['lab/a'])
  await first.disconnect()
  t.match(await makePaho(t, relay, bob, options).connect(), { code: 0, present: 0 })
})

t.test(
  'a clean start at the first connection alone: the session outlives a cut',
  { skip },
  async (t) => {
    const { relay, alice, bob } = await startLab(t)
    const sender = await connect(t, relay, alice)
    const line = await layLine(t, relay.mqttPort)
    const client = await connectPaho(t, relay, bob, {
      version: 5,
      clean: null,
      clientId: 'desk',
      port: line.port,
      properties: { SessionExpiryInterval: 600 },
    })
    await client.subscribe(['lab/a'])
    line.cut()
    await client.happened('disconnected')
    await sender.publish('lab/a', 'meanwhile')
    line.mend()
    t.match(await client.happened('connected', 2), { present: 1 })
    await client.received(1)
    t.same(client.texts, ['meanwhile'])
  },
)

t.test('a will comes when it is killed, and not when it says goodbye', { skip }, async (t) => {
  const { relay, alice, bob } = await startLab(t)
  const watcher = await connect(t, relay, bob)
  await watcher.subscribe('lab/will/#', 2)
  const will = { payload: 'gone', qos: 2, retain: true } as const
  for (const version of VERSIONS) {
    const polite = await connectPaho(t, relay, alice, {
      version,
      will: { ...will, topic: `lab/will/${version}/polite` },
    })
    await polite.disconnect()
    const topic = `lab/will/${version}/killed`
    const killed = await connectPaho(t, relay, alice, {
      version,
      will: { ...will, topic },
      isAlone: true,
    })
    await killed.kill()
  }
  const reason = { topic: 'lab/will/5/reason', ...will }
  const asking = await connectPaho(t, relay, alice, {
    version: 5,
    will: { ...reason, properties: { ContentType: 'text/plain', UserProperty: [['a', 'b']] } },
  })
  await asking.disconnect({ reason: 4 })
  await watcher.received(4)
  t.same(watcher.arrivals.map(({ topic }) => topic).sort(), [
    'lab/will/3/killed',
    'lab/will/4/killed',
    'lab/will/5/killed',
    reason.topic,
  ])
  const found = watcher.arrivals.find(({ topic }) => topic === reason.topic)
  t.match(found, { properties: { contentType: 'text/plain', userProperties: { a: 'b' } } })
})
