import t from 'tap'
import { readFileSettings } from '../../src/config/file.ts'

const GOOD = `# the depot
data_dir: /srv/mail
mqtt:
  port: 1884

relay: { name: Depot }
mesh:
  # enabled: false
http:
access:
  rules:
    - who: thing:door
      topics: doors/#
      actions: [publish]
      effect: allow
messages:
  listed_for: 0
  payload_bytes_max: 65536
quota:
  disk_bytes: 512MiB
`

t.test('each setting is found with its line', async (t) => {
  const settings = readFileSettings('w.yaml', GOOD)
  t.same(Object.fromEntries(settings), {
    data_dir: { value: '/srv/mail', origin: 'w.yaml:2' },
    'mqtt.port': { value: 1884, origin: 'w.yaml:4' },
    'relay.name': { value: 'Depot', origin: 'w.yaml:6' },
    'access.rules': {
      value: [{ who: 'thing:door', topics: 'doors/#', actions: ['publish'], effect: 'allow' }],
      origin: 'w.yaml:11',
    },
    'messages.listed_for': { value: 0, origin: 'w.yaml:17' },
    'messages.payload_bytes_max': { value: 65536, origin: 'w.yaml:18' },
    'quota.disk_bytes': { value: '512MiB', origin: 'w.yaml:20' },
  })
})

t.test('a file without settings is allowed', async (t) => {
  for (const content of ['', '# nothing\n', '---\n', 'null', 'mqtt:\nhttp: null\n']) {
    t.equal(readFileSettings('w.yaml', content).size, 0, JSON.stringify(content))
  }
})

t.test('every error is one line with file, line, key and what is allowed', async (t) => {
  const cases: [content: string, line: number, key: string, allowed: string][] = [
    ['\nmqtt:\n  prot: 1', 3, 'mqtt.prot', 'did you mean mqtt.port'],
    ['\nmqtt:\n  prot: 1', 3, 'mqtt.prot', 'host, port, tls_port'],
    ['mqt: {}', 1, 'mqt', 'did you mean mqtt'],
    ['zzz: 1', 1, 'zzz', 'data_dir'],
    ['mqtt.port: 1', 1, 'mqtt.port', 'mqtt'],
    ['mqtt: 3', 1, 'mqtt', 'host, port, tls_port'],
    ['mqtt:\n  - 1', 2, 'mqtt', 'host, port, tls_port'],
    ['- mqtt', 1, '', 'data_dir'],
    ['data_dir:', 1, 'data_dir', 'directory'],
    ['data_dir: [a]', 1, 'data_dir', 'directory'],
    ['mqtt:\n  port: 70000', 2, 'mqtt.port', '65535'],
    ['mqtt:\n  port: "1883"', 2, 'mqtt.port', '65535'],
    ['mqtt:\n  port:', 2, 'mqtt.port', '65535'],
    ['mqtt:\n  port: {}', 2, 'mqtt.port', '65535'],
    ['mesh:\n  enabled: yes', 2, 'mesh.enabled', 'true or false'],
    ['relay:\n  role: boss', 2, 'relay.role', 'edge or cloud'],
    ['relay:\n  name: 5', 2, 'relay.name', 'printable'],
    ['relay:\n  name: "a\\nb"', 2, 'relay.name', 'printable'],
    ['cloud:\n  url: somewhere', 2, 'cloud.url', 'URL'],
    ['messages:\n  expires_after: 30', 2, 'messages.expires_after', '3650d'],
    ['messages:\n  expires_after: forever', 2, 'messages.expires_after', '3650d'],
    ['messages:\n  listed_for: never', 2, 'messages.listed_for', 'forever'],
    ['messages:\n  payload_bytes_max: 2MiB', 2, 'messages.payload_bytes_max', '1MiB'],
    ['quota:\n  mailbox_messages: 0', 2, 'quota.mailbox_messages', 'from 1'],
    ['quota:\n  disk_bytes: 1PiB', 2, 'quota.disk_bytes', 'none'],
    ['log:\n  level: loud', 2, 'log.level', 'warn'],
    ['access:\n  rules: {}', 2, 'access.rules', 'rules'],
    ['access:\n  rules:\n  - who: a\n    efect: deny', 4, 'access.rules[0].efect', 'effect'],
    ['<<: { mqtt: {} }', 1, '<<', 'mqtt'],
    ['__proto__: 1', 1, '__proto__', 'mqtt'],
    ['constructor: { name: x }', 1, 'constructor', 'mqtt'],
    ['"": 1', 1, '""', 'mqtt'],
    ['mqtt: { port: 1 }\nmqtt: { port: 2 }', 2, '', 'unique'],
  ]
  for (const [content, line, key, allowed] of cases) {
    const name = JSON.stringify(content)
    try {
      readFileSettings('w.yaml', content)
      t.fail(name)
    } catch (error) {
      t.match(error, { code: 'CONFIG_INVALID' }, name)
      const { message } = error as Error
      t.ok(message.startsWith(`w.yaml:${line}: `), `${name} says ${message}`)
      for (const part of [key, allowed]) t.ok(message.includes(part), `${name} says ${message}`)
      t.notMatch(message, /[\n\r]/)
    }
  }
})
