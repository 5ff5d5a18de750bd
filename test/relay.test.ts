import { once } from 'node:events'
import { connect as connectSocket, createServer } from 'node:net'
import t from 'tap'
import { userId } from '../src/message/names.ts'
import { openOffline } from '../src/relay.ts'
import { connect } from './support/client.ts'
import { KeptLog } from './support/kept-log.ts'
import { configOf, startRelay, TestRelay } from './support/relay.ts'

t.test('a new relay makes its first admin, and only then', async (t) => {
  const relay = await startRelay(t)
  const { id: name = '', password = '' } = relay.firstAdmin ?? {}
  t.equal(name, 'admin')
  const admin = await connect(t, relay, { name, password })
  t.same(await admin.subscribe('$SYS/#'), [1])
  await relay.restart()
  t.equal(relay.firstAdmin, undefined)
  await connect(t, relay, { name, password })
})

t.test('start and stop may be said twice, and a stopped relay listens nowhere', async (t) => {
  const relay = await startRelay(t)
  const { mqttPort, httpPort } = relay
  await relay.stop()
  await relay.stop()
  for (const port of [mqttPort, httpPort]) {
    await t.rejects(once(connectSocket(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
  }
  await t.rejects(relay.ask('status'), { code: 'RELAY_UNREACHABLE' })
})

t.test('two relays on one folder: the second does not start', async (t) => {
  const dataDir = t.testdir()
  const first = await startRelay(t, { dataDir })
  const second = new TestRelay(await configOf(dataDir, {}))
  await t.rejects(second.start(), { code: 'STORE_LOCKED' })
  await second.stop()
  t.ok(await first.ask('status'))
})

t.test('a port that is taken fails the start, and the relay can be stopped', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const dataDir = t.testdir()
  for (const key of ['mqtt.port', 'http.port'] as const) {
    const relay = new TestRelay(await configOf(dataDir, { keys: { [key]: port } }))
    await t.rejects(relay.start(), { code: 'EADDRINUSE' })
    await relay.stop()
  }
  await startRelay(t, { dataDir })
})

t.test('status, metrics and readiness tell of the same relay', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  const status = await relay.ask('status')
  t.match(status, {
    relay: 'depot',
    clients: 1,
    messages: { accepted: 1, delivered: 0, queued: 1, expired: 0, refused: 0 },
    links: [],
    problems: [],
  })
  const metrics = await (await fetch(`${relay.httpUrl}/metrics`)).text()
  t.match(metrics, /^waypost_mqtt_clients 1$/m)
  t.match(metrics, /^waypost_messages_accepted_total 1$/m)
  t.match(metrics, /^waypost_mailbox_messages 1$/m)
  t.equal((await fetch(`${relay.httpUrl}/readyz`)).status, 200)
  await sender.end()
  t.match(await relay.ask('status'), { clients: 0 })
})

t.test('a message can be listed and traced', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  const list = await relay.ask('message.list', { limit: 10, user: 'bob' })
  t.match(list, [{ id: 'm1', from: 'alice', to: 'bob', status: 'stored', bytes: 5 }])
  t.match(await relay.ask('message.trace', { id: 'm1' }), {
    id: 'm1',
    status: 'stored',
    events: [{ what: 'accepted', relay: 'depot' }],
    next: String,
  })
})

t.test('commands work on the store where no relay runs', async (t) => {
  const relay = await startRelay(t)
  await relay.addUsers('alice')
  await relay.stop()
  const config = await configOf(relay.dataDir, {})
  const offline = await openOffline(config, { log: new KeptLog() })
  t.ok(offline.parts.roster.user(userId('alice')))
  await t.rejects(openOffline(config, { log: new KeptLog() }), { code: 'STORE_LOCKED' })
  await t.rejects(offline.parts.condition())
  await offline.close()
  await relay.start()
})
