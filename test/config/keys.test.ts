import t from 'tap'
import Schema from 'typebox/schema'
import { flagOf, isKeyPath, KEY_PATHS, KEYS, variableOf } from '../../src/config/keys.ts'
import { LIMITS } from '../../src/limits.ts'

t.test('the keys of the contract are there, with their defaults', async (t) => {
  const contract: Record<string, unknown> = {
    data_dir: './data',
    'mqtt.host': '0.0.0.0',
    'mqtt.port': 1883,
    'mqtt.tls_port': 8883,
    'http.host': '0.0.0.0',
    'http.port': 8080,
    'relay.role': 'edge',
    'mesh.enabled': true,
    'mesh.port': 8884,
    'cloud.url': 'none',
    'access.anonymous': false,
    'access.rules': [],
    'messages.expires_after': '30d',
    'messages.payload_bytes_max': '256KiB',
    'messages.listed_for': '7d',
    'messages.retention': 'delivered',
    'quota.disk_bytes': 'none',
    'log.level': 'info',
    'log.format': 'text',
  }
  for (const [path, fallback] of Object.entries(contract)) {
    t.ok(isKeyPath(path), path)
    if (isKeyPath(path)) t.same(KEYS[path].fallback, fallback, path)
  }
})

t.test('every default is allowed and every key is explained', async (t) => {
  for (const path of KEY_PATHS) {
    const { schema, fallback, allowed, about } = KEYS[path]
    t.ok(Schema.Check(schema, fallback), path)
    t.ok(allowed.length > 0 && about.length > 0, path)
  }
})

t.test('each key has a variable and a flag of its own', async (t) => {
  t.equal(variableOf('data_dir'), 'WAYPOST_DATA_DIR')
  t.equal(variableOf('mqtt.tls_port'), 'WAYPOST_MQTT_TLS_PORT')
  t.equal(flagOf('data_dir'), 'data-dir')
  t.equal(flagOf('mqtt.tls_port'), 'mqtt-tls-port')
  t.equal(new Set(KEY_PATHS.map(variableOf)).size, KEY_PATHS.length)
  t.equal(new Set(KEY_PATHS.map(flagOf)).size, KEY_PATHS.length)
})

t.test('names that every object has are no keys', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString', '']) t.notOk(isKeyPath(name), name)
})

t.test('hosts, names, paths and URLs refuse what could not be one', async (t) => {
  const cases: [keyof typeof KEYS, string[], string[]][] = [
    ['mqtt.host', ['::', '0.0.0.0', 'relay.local'], ['', 'a b', 'x'.repeat(254)]],
    ['relay.name', ['Depot 7', 'Hütte', 'x'.repeat(63)], ['', 'a\nb', 'a\u202Eb', 'x'.repeat(64)]],
    ['data_dir', ['/var/lib/waypost', 'data dir'], ['', 'a\nb', 'a\0b', 'x'.repeat(1025)]],
    ['cloud.url', ['none', 'mqtts://cloud.example:8883'], ['', 'cloud.example', 'mqtts:// x']],
  ]
  for (const [path, good, bad] of cases) {
    for (const value of good) t.ok(Schema.Check(KEYS[path].schema, value), `${path} ${value}`)
    for (const value of bad) t.notOk(Schema.Check(KEYS[path].schema, value), `${path} ${value}`)
  }
})

t.test('as many access rules as allowed, and no more', async (t) => {
  const rule = { who: '*', topics: 'a/#', actions: ['publish'], effect: 'allow' }
  const { schema } = KEYS['access.rules']
  t.ok(Schema.Check(schema, Array(LIMITS.accessRulesMax).fill(rule)))
  t.notOk(Schema.Check(schema, Array(LIMITS.accessRulesMax + 1).fill(rule)))
})
