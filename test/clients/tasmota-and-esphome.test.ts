/**
 * Plays Tasmota and ESPHome: MQTT 3.1.1 with clean sessions and QoS 0, a retained will that says
 * whether the thing is there, topics at the root, buffers of a few bytes, and a way to come back at
 * once while the relay still has the old connection.
 */
import t, { type Test } from 'tap'
import type { AccessRule } from '../../src/config/keys.ts'
import { connect, type TestClient } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { makeSmall, type SmallClient, type SmallOptions } from './small-client.ts'

type Action = AccessRule['actions'][number]

const allow = (who: string, topics: string, ...actions: Action[]): AccessRule => ({
  who,
  topics,
  actions,
  effect: 'allow',
})

/** What an operator writes for a Tasmota plug, an ESPHome node, and those who watch them. */
const RULES: AccessRule[] = [
  allow('thing:pump', 'tele/pump/#', 'publish'),
  allow('thing:pump', 'stat/pump/#', 'publish'),
  allow('thing:pump', 'cmnd/pump/#', 'publish', 'subscribe'),
  allow('thing:pump', 'cmnd/tasmotas/#', 'subscribe'),
  allow('thing:pump', 'cmnd/DVES_AABBCC_fb/#', 'subscribe'),
  allow('thing:pump', 'tasmota/discovery/#', 'publish'),
  allow('thing:livingroom', 'livingroom/#', 'publish', 'subscribe'),
  allow('thing:livingroom', 'esphome/#', 'publish', 'subscribe'),
  allow('thing:livingroom', 'homeassistant/#', 'publish'),
  ...[
    'tele/#',
    'stat/#',
    'cmnd/#',
    'tasmota/#',
    'livingroom/#',
    'esphome/#',
    'homeassistant/#',
  ].map((topics) => allow('alice', topics, 'publish', 'subscribe')),
]

type House = {
  readonly relay: TestRelay
  readonly watcher: TestClient
  readonly tasmota: (options?: Partial<SmallOptions>) => SmallClient
  readonly esphome: (options?: Partial<SmallOptions>) => SmallClient
  readonly late: (filter: string) => Promise<TestClient>
}

async function house(t: Test): Promise<House> {
  const relay = await startRelay(t, { rules: RULES })
  const { alice } = await relay.addUsers('alice')
  const me = { name: 'alice', password: alice }
  const pump = { name: 'thing:pump', password: await relay.addThing('pump') }
  const room = { name: 'thing:livingroom', password: await relay.addThing('livingroom') }
  const watcher = await connect(t, relay, me, { clientId: 'watcher' })
  return {
    relay,
    watcher,
    tasmota: (options = {}) =>
      makeSmall(t, relay, {
        clientId: 'DVES_AABBCC',
        user: pump,
        keepaliveS: 30,
        will: { topic: 'tele/pump/LWT', payload: 'Offline', qos: 1 },
        ...options,
      }),
    esphome: (options = {}) =>
      makeSmall(t, relay, {
        clientId: 'livingroom-a1b2c3d4e5f6',
        user: room,
        keepaliveS: 15,
        will: { topic: 'livingroom/status', payload: 'offline', qos: 0 },
        ...options,
      }),
    late: async (filter) => {
      const client = await connect(t, relay, me)
      await client.subscribe(filter)
      return client
    },
  }
}

/** What Tasmota does once it is let in. */
async function bootTasmota(client: SmallClient): Promise<void> {
  const before = client.packets.filter(({ cmd }) => cmd === 'suback').length
  await client.publish('tele/pump/LWT', 'Online', true)
  await client.publish('cmnd/pump/POWER', '')
  for (const filter of ['cmnd/pump/#', 'cmnd/tasmotas/#', 'cmnd/DVES_AABBCC_fb/#']) {
    await client.send(client.subscribePacket(filter))
  }
  await client.until('suback', before + 3)
  await client.publish('tele/pump/INFO1', '{"Info1":{"Module":"Generic","Version":"14.4.1"}}')
  await client.publish('stat/pump/POWER', 'OFF')
}

/** What ESPHome does once it is let in: all of it in one go, without waiting for answers. */
async function bootEsphome(client: SmallClient): Promise<void> {
  await client.send(
    client.publishPacket('livingroom/status', 'online', true),
    client.publishPacket('homeassistant/switch/livingroom/relay/config', '{"name":"Relay"}', true),
    client.subscribePacket('livingroom/switch/relay/command'),
    client.subscribePacket('esphome/discover'),
    client.publishPacket('livingroom/switch/relay/state', 'OFF', true),
  )
  await client.until('suback', 2)
}

for (const how of [{}, { readBytes: 1 }, { readBytes: 3, dribbles: true }]) {
  const says = `reads ${how.readBytes ?? 64} bytes at a time${how.dribbles ? ', dribbles' : ''}`

  t.test(`Tasmota signs in, obeys and tells (${says})`, async (t) => {
    const { watcher, tasmota } = await house(t)
    await watcher.subscribe(['tele/#', 'stat/#', 'tasmota/#'])
    const plug = tasmota(how)
    t.equal(await plug.connect(), 0)
    await bootTasmota(plug)
    const discovery = JSON.stringify({ ip: '192.168.1.5', t: 'pump', ft: '%prefix%/%topic%/' })
    await plug.publish('tasmota/discovery/AABBCCDDEEFF/config', discovery, true)
    await watcher.received(4)
    const commands = ['cmnd/pump/POWER', 'cmnd/tasmotas/POWER', 'cmnd/DVES_AABBCC_fb/STATUS']
    for (const topic of commands) await watcher.publish(topic, 'ON')
    await plug.until('publish', 3)
    t.same(
      plug.texts,
      commands.map((topic) => `${topic} ON`),
    )
    await plug.publish('stat/pump/RESULT', '{"POWER":"ON"}')
    await plug.publish('stat/pump/POWER', 'ON')
    await watcher.received(6)
    t.same(
      watcher.arrivals.map(({ topic, text }) => `${topic} ${text}`),
      [
        'tele/pump/LWT Online',
        'tele/pump/INFO1 {"Info1":{"Module":"Generic","Version":"14.4.1"}}',
        'stat/pump/POWER OFF',
        `tasmota/discovery/AABBCCDDEEFF/config ${discovery}`,
        'stat/pump/RESULT {"POWER":"ON"}',
        'stat/pump/POWER ON',
      ],
    )
    await plug.send({ cmd: 'pingreq' })
    await plug.until('pingresp', 1)
  })

  t.test(`ESPHome says all in one go (${says})`, async (t) => {
    const { watcher, esphome } = await house(t)
    await watcher.subscribe(['livingroom/#', 'homeassistant/#'])
    const node = esphome(how)
    t.equal(await node.connect(), 0)
    await bootEsphome(node)
    await watcher.received(3)
    t.same(watcher.texts, ['online', '{"name":"Relay"}', 'OFF'])
    await watcher.publish('livingroom/switch/relay/command', 'ON', { qos: 0 })
    await watcher.publish('esphome/discover', '', { qos: 0 })
    await node.until('publish', 2)
    t.same(node.texts, ['livingroom/switch/relay/command ON', 'esphome/discover '])
    await node.publish('livingroom/switch/relay/state', 'ON', true)
    await watcher.until((arrivals) => arrivals.at(-1)?.text === 'ON')
    for (let count = 1; count <= 3; count += 1) {
      await node.send({ cmd: 'pingreq' })
      await node.until('pingresp', count)
    }
  })
}

t.test('what is subscribed to comes, also when both are in one segment', async (t) => {
  const { esphome } = await house(t)
  const node = esphome()
  await node.connect()
  await node.send(
    node.subscribePacket('livingroom/echo'),
    node.publishPacket('livingroom/echo', 'one'),
    node.publishPacket('livingroom/echo', 'two'),
  )
  await node.until('publish', 2)
  t.same(node.texts, ['livingroom/echo one', 'livingroom/echo two'])
})

t.test('many commands and a long one reach a client that reads a byte at a time', async (t) => {
  const { watcher, tasmota } = await house(t)
  const plug = tasmota({ readBytes: 1 })
  await plug.connect()
  await bootTasmota(plug)
  const commands = Array.from({ length: 100 }, (_, at) => `${at}`.padEnd(at * 2, '.'))
  await Promise.all(commands.map((text) => watcher.publish('cmnd/pump/Backlog', text)))
  await watcher.publish('cmnd/pump/RuleTimer', 'x'.repeat(1_150))
  await plug.until('publish', commands.length + 1)
  t.same(
    plug.texts.slice(0, -1),
    commands.map((text) => `cmnd/pump/Backlog ${text}`),
  )
  t.equal(plug.texts.at(-1)?.length, 'cmnd/pump/RuleTimer '.length + 1_150)
})

t.test('gone without a word, both are offline, for those too who come later', async (t) => {
  const { watcher, tasmota, esphome, late } = await house(t)
  await watcher.subscribe(['tele/pump/LWT', 'livingroom/status'])
  const plug = tasmota()
  await plug.connect()
  await bootTasmota(plug)
  const node = esphome({ dribbles: true })
  await node.connect()
  await bootEsphome(node)
  await watcher.received(2)
  plug.drop()
  await watcher.received(3)
  node.drop()
  await watcher.received(4)
  t.same(watcher.texts, ['Online', 'online', 'Offline', 'offline'])
  t.ok(watcher.arrivals.every(({ isRetained }) => !isRetained))
  t.match(await (await late('tele/pump/LWT')).received(1), [{ text: 'Offline', isRetained: true }])
  const status = await late('livingroom/status')
  t.match(await status.received(1), [{ text: 'offline', isRetained: true }])
})

t.test('one that loses its power is offline when its keep alive has run out', async (t) => {
  const { watcher, tasmota } = await house(t)
  await watcher.subscribe('tele/pump/LWT')
  // A second instead of thirty: the socket stays open, and nothing comes any more.
  const plug = tasmota({ keepaliveS: 1 })
  await plug.connect()
  await bootTasmota(plug)
  await watcher.received(2)
  t.same(watcher.texts, ['Online', 'Offline'])
  await plug.closed()
})

t.test('one that says goodbye has no will', async (t) => {
  const { watcher, esphome, late } = await house(t)
  await watcher.subscribe('livingroom/status')
  const node = esphome()
  await node.connect()
  await bootEsphome(node)
  // ESPHome's shutdown message, and then the packet that takes the will away.
  await node.send(node.publishPacket('livingroom/status', 'offline', true), { cmd: 'disconnect' })
  await node.closed()
  const again = esphome()
  await again.connect()
  await bootEsphome(again)
  await watcher.received(3)
  t.same(watcher.texts, ['online', 'offline', 'online'])
  t.match(await (await late('livingroom/status')).received(1), [{ text: 'online' }])
})

for (const name of ['tasmota', 'esphome'] as const) {
  t.test(`${name} comes back while its old connection is there, and is online`, async (t) => {
    const home = await house(t)
    const topic = name === 'tasmota' ? 'tele/pump/LWT' : 'livingroom/status'
    const boot = name === 'tasmota' ? bootTasmota : bootEsphome
    await home.watcher.subscribe(topic)
    let before: SmallClient | undefined
    const rounds = 6
    for (let round = 0; round < rounds; round += 1) {
      const client = home[name]({ readBytes: 4, dribbles: round % 2 === 1 })
      t.equal(await client.connect(), 0)
      await boot(client)
      await before?.closed()
      before = client
    }
    await home.watcher.received(2 * rounds - 1)
    // Each will comes before the next birth: what is retained in the end is the birth.
    const [on, off] = name === 'tasmota' ? ['Online', 'Offline'] : ['online', 'offline']
    const turns = Array.from({ length: rounds - 1 }, () => [on, off]).flat()
    t.same(home.watcher.texts, [...turns, on])
    const late = await home.late(topic)
    t.match(await late.received(1), [{ text: on, isRetained: true }])
  })
}

t.test('the command of a moment is for the connection that is there', async (t) => {
  const { watcher, tasmota } = await house(t)
  const first = tasmota()
  await first.connect()
  await bootTasmota(first)
  const second = tasmota()
  await second.connect()
  await bootTasmota(second)
  await first.closed()
  await watcher.publish('cmnd/pump/POWER', 'TOGGLE')
  await second.until('publish', 1)
  // Twice would switch it back.
  await watcher.publish('cmnd/pump/POWER', 'end')
  await second.until('publish', 2)
  t.same(second.texts, ['cmnd/pump/POWER TOGGLE', 'cmnd/pump/POWER end'])
  t.same(first.texts, [])
})

t.test('a thing may not speak for another one, and stays connected', async (t) => {
  const { watcher, tasmota } = await house(t)
  await watcher.subscribe(['livingroom/#', 'stat/#'])
  const plug = tasmota()
  await plug.connect()
  await bootTasmota(plug)
  await plug.publish('livingroom/status', 'forged', true)
  await plug.send(plug.subscribePacket('livingroom/#'))
  const suback = await plug.until('suback', 4)
  t.match(suback, { granted: [0x80] })
  await plug.publish('stat/pump/POWER', 'ON')
  await watcher.received(2)
  t.same(watcher.texts, ['OFF', 'ON'])
})
