import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { type ClientOptions, connect } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const skip = existsSync('/usr/bin/mosquitto_pub')
  ? false
  : 'mosquitto_pub (Debian: mosquitto-clients) is missing'

/** Options of a client that trusts this relay and talks to it over TLS. */
const overTls = (relay: TestRelay): ClientOptions => ({
  protocol: 'mqtts',
  port: relay.tlsPort,
  ca: relay.authority,
})

t.test('persons write to each other over TLS, TCP and secure WebSocket', async (t) => {
  const relay = await startRelay(t)
  const passwords = await relay.addUsers('alice', 'bob')
  const alice = { name: 'alice', password: passwords.alice }
  const bob = { name: 'bob', password: passwords.bob }
  const viaWebSocket = {
    protocol: 'wss',
    port: relay.httpPort,
    path: '/mqtt',
    ca: relay.authority,
  } as const
  const readers = [
    await connect(t, relay, bob, { ...overTls(relay), protocolVersion: 4 }),
    await connect(t, relay, bob, overTls(relay)),
    await connect(t, relay, bob, viaWebSocket),
    await connect(t, relay, bob),
  ]
  for (const reader of readers) await reader.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, alice, overTls(relay))
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  for (const reader of readers) t.match(await reader.received(1), [{ text: 'hello' }])
})

t.test('a client that does not trust the relay says so, and does not sign in', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const options = { protocol: 'mqtts', port: relay.tlsPort } as const
  const user = { name: 'alice', password: alice }
  await t.rejects(connect(t, relay, user, options), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ })
})

t.test('the authority is the same after a restart', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const ca = relay.authority
  await relay.restart()
  const user = { name: 'alice', password: alice }
  t.ok((await connect(t, relay, user, { ...overTls(relay), ca })).mqtt.connected)
})

t.test('where another program has the port the relay goes on without', async (t) => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const relay = await startRelay(t, { keys: { 'mqtt.tls_port': String(port) } })
  t.equal(relay.tlsPort, 0)
  const { problems } = (await relay.ask('status')) as { problems: { what: string }[] }
  t.match(problems.map(({ what }) => what).join(), /mqtt\.tls_port is in use/)
  const { alice } = await relay.addUsers('alice')
  t.ok((await connect(t, relay, { name: 'alice', password: alice })).mqtt.connected)
})

t.test('mosquitto_pub trusts the relay by its ca.crt', { skip }, async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    `${relay.tlsPort}`,
    '--cafile',
    `${relay.dataDir}/tls/ca.crt`,
  ]
  const message = [
    '-u',
    'alice',
    '-P',
    alice,
    '-i',
    'pc',
    '-q',
    '1',
    '-t',
    'users/alice/inbox/alice/m1',
  ]
  const child = spawn('mosquitto_pub', [...args, ...message, '-m', 'hello'])
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.match(await relay.ledger(), { accepted: 1 })
})
