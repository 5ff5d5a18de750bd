import t from 'tap'
import { KEY_PATHS } from '../../src/config/keys.ts'
import { rig } from './rig.ts'

t.test('every value is shown with where it comes from', async (t) => {
  const dir = t.testdir({ 'w.yaml': 'relay:\n  name: depot\n' })
  const { type, told, json } = rig({ workingDir: dir, env: { WAYPOST_HTTP_PORT: '81' } })
  t.equal(await type('config --config w.yaml --mqtt-port 1884'), 0)
  t.match(told.out, /^KEY +VALUE +FROM\n/)
  t.match(told.out, /\nmqtt\.port +1884 +--mqtt-port\n/)
  await type('config --config w.yaml --mqtt-port 1884 --json')
  const shown = json() as Record<string, unknown>
  t.same(Object.keys(shown), KEY_PATHS)
  t.same(shown['relay.name'], { value: 'depot', origin: 'w.yaml:2' })
  t.same(shown['http.port'], { value: 81, origin: 'WAYPOST_HTTP_PORT' })
  t.same(shown['mqtt.port'], { value: 1884, origin: '--mqtt-port' })
  t.same(shown['mqtt.host'], { value: '0.0.0.0', origin: 'default' })
})

t.test('a password in a URL is not shown', async (t) => {
  const { type, told } = rig()
  const urls: [string, string][] = [
    ['wss://relay:secret@cloud.example/x', 'wss://relay:***@cloud.example/x'],
    ['wss://relay:se@cret@cloud.example', 'wss://relay:***@cloud.example'],
    ['wss://cloud.example:8443/a@b', 'wss://cloud.example:8443/a@b'],
  ]
  for (const [url, shown] of urls) {
    await type(['config', '--cloud-url', url])
    t.ok(told.out.includes(` ${shown} `), shown)
    t.notMatch(told.out, /secret/)
  }
})

t.test('a configuration that is wrong is one line on stderr and exit code 78', async (t) => {
  const dir = t.testdir({ 'w.yaml': 'relay:\n  nam: depot\n' })
  const cases: [string, Record<string, string>][] = [
    ['config --config w.yaml', {}],
    ['config --config gone.yaml', {}],
    ['config --mqtt-port many', {}],
    ['config', { WAYPOST_MQTT_PORT: 'many' }],
    ['config', { WAYPOST_NOTHING: '1' }],
    ['run --config w.yaml', {}],
    ['run --config .', {}],
    ['user list --config w.yaml', {}],
    ['status', { WAYPOST_NOTHING: '1' }],
  ]
  for (const [line, env] of cases) {
    const { type, told } = rig({ workingDir: dir, env })
    t.equal(await type(line), 78, line)
    t.match(told.err, /^waypost: [^\n]+\n$/, line)
    t.equal(told.out, '')
  }
})
