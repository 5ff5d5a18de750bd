import t from 'tap'
import { defaultSettings, environmentSettings, flagSettings } from '../../src/config/sources.ts'

t.test('variables set keys, in their type', async (t) => {
  const settings = environmentSettings({
    PATH: '/bin',
    WAYPOST_DATA_DIR: '/srv',
    WAYPOST_MQTT_PORT: '1884',
    WAYPOST_MESH_ENABLED: 'false',
    WAYPOST_RELAY_NAME: '5',
    WAYPOST_MESSAGES_LISTED_FOR: '0',
    WAYPOST_QUOTA_DISK_BYTES: '1000000',
    WAYPOST_ACCESS_RULES:
      '[{"who":"*","topics":"a","actions":["subscribe","publish"],"effect":"deny"}]',
  })
  t.same(settings.get('data_dir'), { value: '/srv', origin: 'WAYPOST_DATA_DIR' })
  t.same(settings.get('mqtt.port'), { value: 1884, origin: 'WAYPOST_MQTT_PORT' })
  t.equal(settings.get('mesh.enabled')?.value, false)
  t.equal(settings.get('relay.name')?.value, '5')
  t.equal(settings.get('messages.listed_for')?.value, '0')
  t.equal(settings.get('quota.disk_bytes')?.value, 1_000_000)
  t.match(settings.get('access.rules')?.value, [{ who: '*' }])
  t.equal(settings.size, 7)
})

t.test('a wrong variable is named, with what is allowed', async (t) => {
  const cases: [string, string, string][] = [
    ['WAYPOST_MQTT_PROT', '1', 'WAYPOST_MQTT_PORT'],
    ['WAYPOST_', '1', 'WAYPOST_DATA_DIR'],
    ['WAYPOST_mqtt_port', '1', 'WAYPOST_DATA_DIR'],
    ['WAYPOST_MQTT_PORT', 'many', '65535'],
    ['WAYPOST_MQTT_PORT', '', '65535'],
    ['WAYPOST_MESH_ENABLED', 'yes', 'true or false'],
    ['WAYPOST_ACCESS_RULES', 'none', 'rules'],
    ['WAYPOST_ACCESS_RULES', '[{}]', 'who'],
  ]
  for (const [variable, value, allowed] of cases) {
    try {
      environmentSettings({ [variable]: value })
      t.fail(variable)
    } catch (error) {
      t.match(error, { code: 'CONFIG_INVALID' })
      const { message } = error as Error
      for (const part of [variable, allowed]) t.ok(message.includes(part), message)
    }
  }
})

t.test('flags set keys, and a wrong one is named', async (t) => {
  const settings = flagSettings(
    new Map([
      ['mqtt.tls_port', '0'],
      ['data_dir', './x'],
    ]),
  )
  t.same(settings.get('mqtt.tls_port'), { value: 0, origin: '--mqtt-tls-port' })
  t.same(settings.get('data_dir'), { value: './x', origin: '--data-dir' })
  const message = /^--mqtt-port: .*65535/
  t.throws(() => flagSettings(new Map([['mqtt.port', '-1']])), { code: 'CONFIG_INVALID', message })
})

t.test('the machine gives the name, systemd the directory', async (t) => {
  const bare = defaultSettings({}, 'pi')
  t.same(bare.get('relay.name'), { value: 'pi', origin: 'host name' })
  t.same(bare.get('data_dir'), { value: './data', origin: 'default' })
  const service = defaultSettings({ STATE_DIRECTORY: '/var/lib/waypost:/x' }, 'x'.repeat(64))
  t.same(service.get('data_dir'), { value: '/var/lib/waypost', origin: 'STATE_DIRECTORY' })
  t.equal(service.get('relay.name')?.value, 'x'.repeat(63))
  t.equal(defaultSettings({ STATE_DIRECTORY: '' }, 'pi').get('data_dir')?.value, './data')
})
