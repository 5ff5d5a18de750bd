import t from 'tap'
import { type ConfigSources, loadConfig, USUAL_FILE } from '../../src/config/config.ts'

function sources(given: Partial<ConfigSources> = {}, files: Record<string, string> = {}) {
  return {
    flags: new Map(),
    env: {},
    file: undefined,
    readText: async (path: string) => files[path],
    hostName: 'pi',
    workingDir: '/home/bob',
    ...given,
  }
}

t.test('without any source the defaults hold', async (t) => {
  const { config } = await loadConfig(sources())
  t.same(config, {
    dataDir: '/home/bob/data',
    mqtt: { host: '0.0.0.0', port: 1883, tlsPort: 8883 },
    tls: { certificate: undefined, key: undefined },
    http: { host: '0.0.0.0', port: 8080 },
    relay: { name: 'pi', role: 'edge' },
    mesh: { isEnabled: true, port: 8884 },
    cloud: { url: undefined },
    access: { isAnonymousAllowed: false, rules: [] },
    messages: {
      expiresAfterS: 30 * 86_400,
      payloadBytesMax: 262_144,
      listedForMs: 7 * 86_400_000,
      retention: 'delivered',
    },
    quota: {
      mailboxMessagesMax: 200_000,
      mailboxBytesMax: 268_435_456,
      senderMessagesMax: 200_000,
      diskBytesMax: Number.POSITIVE_INFINITY,
    },
    log: { level: 'info', format: 'text' },
  })
})

t.test('a flag beats the environment, that the file, that the default', async (t) => {
  const files = { '/home/bob/w.yaml': 'mqtt: {port: 1, tls_port: 1, host: "::"}\nhttp: {port: 1}' }
  const env = { WAYPOST_MQTT_PORT: '2', WAYPOST_MQTT_TLS_PORT: '2' }
  const flags = new Map([['mqtt.port' as const, '3']])
  const { config, settings } = await loadConfig(sources({ env, flags, file: 'w.yaml' }, files))
  t.same(config.mqtt, { host: '::', port: 3, tlsPort: 2 })
  t.same(config.http, { host: '0.0.0.0', port: 1 })
  const origins = (['mqtt.port', 'mqtt.tls_port', 'mqtt.host', 'http.host'] as const).map(
    (path) => settings.get(path)?.origin,
  )
  t.same(origins, ['--mqtt-port', 'WAYPOST_MQTT_TLS_PORT', 'w.yaml:1', 'default'])
})

t.test('the usual file is read where it exists and no other is named', async (t) => {
  const files = { [USUAL_FILE]: 'relay: {name: depot}', '/w.yaml': '' }
  t.equal((await loadConfig(sources({}, files))).config.relay.name, 'depot')
  t.equal((await loadConfig(sources({ file: '/w.yaml' }, files))).config.relay.name, 'pi')
})

t.test('a file that is named must exist', async (t) => {
  const message = /--config.*gone\.yaml/
  await t.rejects(loadConfig(sources({ file: 'gone.yaml' })), { code: 'CONFIG_INVALID', message })
})

t.test('words for no bound become infinity or nothing', async (t) => {
  const files = {
    '/w.yaml': 'messages: {listed_for: forever}\nquota: {disk_bytes: 1GiB}\ncloud: {url: "a://b"}',
  }
  const { config } = await loadConfig(sources({ file: '/w.yaml' }, files))
  t.equal(config.messages.listedForMs, Number.POSITIVE_INFINITY)
  t.equal(config.quota.diskBytesMax, 2 ** 30)
  t.equal(config.cloud.url, 'a://b')
  for (const zero of ['0', '"0"']) {
    const none = { '/w.yaml': `messages: {listed_for: ${zero}}` }
    const loaded = await loadConfig(sources({ file: '/w.yaml' }, none))
    t.equal(loaded.config.messages.listedForMs, 0)
  }
})

t.test('a configuration cannot be changed afterwards', async (t) => {
  const rules = '[{"who":"*","topics":"a","actions":["publish"],"effect":"allow"}]'
  const { config } = await loadConfig(sources({ env: { WAYPOST_ACCESS_RULES: rules } }))
  for (const part of [config, config.mqtt, config.access.rules, config.access.rules[0]]) {
    t.ok(Object.isFrozen(part))
  }
})
