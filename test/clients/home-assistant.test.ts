/**
 * Plays Home Assistant's MQTT integration, through Paho with the kind of network loop that it has:
 * a clean start each time, birth and will on `homeassistant/status`, one SUBSCRIBE for each filter
 * with wildcards and a long one for all others, discovery, and all of it again after a cut.
 */
import t, { type Test } from 'tap'
import type { AccessRule } from '../../src/config/keys.ts'
import { connect, type TestClient } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { layLine } from './cut-line.ts'
import { connectPaho, type PahoClient, type PahoOptions, skip } from './paho-client.ts'

const STATUS = 'homeassistant/status'
const DISCOVERY = ['homeassistant/+/+/config', 'homeassistant/+/+/+/config']
/** Filters without wildcards that go into one SUBSCRIBE. */
const FILTERS_PER_PACKET = 500

const opened = (topics: string): AccessRule => ({
  who: '*',
  topics,
  actions: ['publish', 'subscribe'],
  effect: 'allow',
})

type House = {
  readonly relay: TestRelay
  readonly hass: { name: string; password: string }
  /** A gateway, as Zigbee2MQTT is one: it announces its things and tells their states. */
  readonly gateway: TestClient
}

async function house(t: Test): Promise<House> {
  const relay = await startRelay(t, { rules: [opened('homeassistant/#'), opened('zigbee2mqtt/#')] })
  const { hass } = await relay.addUsers('hass')
  const thing = { name: 'thing:zigbee', password: await relay.addThing('zigbee') }
  const gateway = await connect(t, relay, thing, { protocolVersion: 4, clientId: 'zigbee2mqtt' })
  return { relay, hass: { name: 'hass', password: hass }, gateway }
}

async function homeAssistant(
  t: Test,
  { relay, hass }: House,
  options: PahoOptions,
): Promise<PahoClient> {
  return await connectPaho(t, relay, hass, {
    loop: 'sockets',
    clientId: '6JzUQwEVrKPTvx1TnBWDYH',
    keepalive: 60,
    will: { topic: STATUS, payload: 'offline', retain: true },
    ...options,
  })
}

/** Subscribes as it does; returns what was granted. */
async function subscribeAll(client: PahoClient, filters: readonly string[]): Promise<number[]> {
  const granted: number[] = []
  for (const filter of filters.filter((text) => /[+#]/.test(text))) {
    granted.push(...(await client.subscribe([filter], 0)))
  }
  const plain = filters.filter((text) => !/[+#]/.test(text))
  for (let at = 0; at < plain.length; at += FILTERS_PER_PACKET) {
    granted.push(...(await client.subscribe(plain.slice(at, at + FILTERS_PER_PACKET), 0)))
  }
  return granted
}

async function bear(client: PahoClient): Promise<void> {
  await client.publish(STATUS, 'online', { qos: 0, retain: true })
}

/** The configuration topics and states of so many sensors, half of them below a node. */
function sensors(count: number): { config: string; state: string }[] {
  return Array.from({ length: count }, (_, at) => ({
    config: `homeassistant/sensor/${at % 2 === 0 ? `s${at}` : `0x00${at}/battery`}/config`,
    state: `zigbee2mqtt/sensor ${at}`,
  }))
}

/** Publishes what a gateway publishes when Home Assistant is born. */
async function announce(gateway: TestClient, all: ReturnType<typeof sensors>): Promise<void> {
  for (const { config, state } of all) {
    const text = JSON.stringify({ stat_t: state, uniq_id: state, dev: { ids: [state] } })
    await gateway.publish(config, text, { retain: true })
  }
}

for (const version of [4, 5] as const) {
  t.test(`version ${version}: birth and will tell whether it is there`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    await gateway.subscribe(STATUS, 0)
    const first = await homeAssistant(t, home, { version, isAlone: true })
    await bear(first)
    t.match(await gateway.received(1), [{ text: 'online', isRetained: false }])
    await first.kill()
    await gateway.received(2)
    const late = await connect(t, home.relay, home.hass, { clientId: 'late' })
    await late.subscribe(STATUS)
    t.match(await late.received(1), [{ text: 'offline', isRetained: true }])
    const second = await homeAssistant(t, home, { version })
    await bear(second)
    await gateway.received(3)
    // It says so itself when it is stopped; the will is not sent then.
    await second.publish(STATUS, 'offline', { qos: 0, retain: true })
    await second.disconnect()
    await late.received(3)
    await gateway.publish('zigbee2mqtt/end', 'end')
    await gateway.settled()
    t.same(gateway.texts, ['online', 'offline', 'online', 'offline'])
  })

  t.test(`version ${version}: it finds what announces itself`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    const all = sensors(30)
    await announce(gateway, all)
    for (const { state } of all) await gateway.publish(state, '{"battery":80}', { retain: true })
    const client = await homeAssistant(t, home, { version })
    t.same(await subscribeAll(client, DISCOVERY), [0, 0])
    const found = await client.received(all.length)
    t.same(found.map(({ topic }) => topic).sort(), all.map(({ config }) => config).sort())
    t.ok(found.every(({ retain, qos }) => retain && qos === 0))
    const states = all.map(({ state }) => state)
    t.same(await subscribeAll(client, states), Array(all.length).fill(0))
    const told = (await client.received(2 * all.length)).slice(all.length)
    t.same(told.map(({ topic }) => topic).sort(), [...states].sort())
    t.ok(told.every(({ retain }) => retain))
  })

  t.test(`version ${version}: on its birth all is announced again`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    const all = sensors(20)
    await gateway.subscribe(STATUS, 0)
    const client = await homeAssistant(t, home, { version })
    await subscribeAll(client, [...DISCOVERY, ...all.map(({ state }) => state)])
    await bear(client)
    await gateway.received(1)
    await announce(gateway, all)
    // Live, they are not marked as retained [MQTT-3.3.1-9].
    const found = await client.received(all.length)
    t.ok(found.every(({ retain }) => !retain))
    await gateway.publish('zigbee2mqtt/sensor 7', 'changed', { qos: 0 })
    t.equal((await client.received(all.length + 1)).at(-1)?.text, 'changed')
  })

  t.test(`version ${version}: an empty configuration is gone for good`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    const all = sensors(6)
    await announce(gateway, all)
    const first = await homeAssistant(t, home, { version })
    await subscribeAll(first, DISCOVERY)
    await first.received(all.length)
    const removed = all.slice(0, 3).map(({ config }) => config)
    // Home Assistant removes a device itself; so does the gateway.
    await first.publish(removed[0] ?? '', '', { qos: 0, retain: true })
    for (const topic of removed.slice(1)) await gateway.publish(topic, '', { retain: true })
    const messages = await first.received(all.length + removed.length)
    const empty = messages.filter(({ text }) => text === '').map(({ topic }) => topic)
    t.same(empty.sort(), [...removed].sort())
    await first.disconnect()
    const second = await homeAssistant(t, home, { version })
    // In two packets: the second filter brings what is left of four levels.
    await subscribeAll(second, DISCOVERY)
    await second.subscribe([STATUS], 0)
    await bear(second)
    const found = await second.received(4)
    t.same(
      found.map(({ topic }) => topic).sort(),
      [...all.slice(3).map(({ config }) => config), STATUS].sort(),
    )
  })

  t.test(`version ${version}: after each cut it does all of it again`, { skip }, async (t) => {
    const home = await house(t)
    const { relay, gateway } = home
    const all = sensors(20)
    await announce(gateway, all)
    await gateway.subscribe(STATUS, 0)
    const line = await layLine(t, relay.mqttPort)
    const client = await homeAssistant(t, home, { version, port: line.port })
    const filters = [...DISCOVERY, ...all.map(({ state }) => state)]
    for (let round = 1; round <= 3; round += 1) {
      const { present } = await client.happened('connected', round)
      t.equal(present, 0, 'a clean session')
      t.same(await subscribeAll(client, filters), Array(filters.length).fill(0))
      await bear(client)
      await client.received(round * (all.length + 1) - 1)
      await gateway.publish('zigbee2mqtt/sensor 3', `round ${round}`)
      t.equal((await client.received(round * (all.length + 1))).at(-1)?.text, `round ${round}`)
      line.cut()
      // Its will comes before it is born again.
      await gateway.received(2 * round)
      line.mend()
    }
    t.same(gateway.texts, ['online', 'offline', 'online', 'offline', 'online', 'offline'])
  })

  t.test(`version ${version}: of overlapping filters one copy comes`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    const client = await homeAssistant(t, home, { version })
    // A trigger of the user's, an entity and a debugging page, each with a QoS of its own.
    await client.subscribe(['zigbee2mqtt/#'], 0)
    await client.subscribe(['zigbee2mqtt/+'], 1)
    await client.subscribe(['zigbee2mqtt/door'], 2)
    await gateway.publish('zigbee2mqtt/door', 'open', { qos: 2 })
    await gateway.publish('zigbee2mqtt/end', 'end', { qos: 1 })
    const messages = await client.received(2)
    // paho shows a QoS 2 message when it is released, which may be after the next one.
    const inOrder = messages.toSorted((one, other) => other.text.localeCompare(one.text))
    t.match(inOrder, [
      { text: 'open', qos: 2 },
      { text: 'end', qos: 1 },
    ])
    t.equal(messages.length, 2)
  })

  t.test(`version ${version}: a house with many things has many filters`, { skip }, async (t) => {
    const home = await house(t)
    const { gateway } = home
    const client = await homeAssistant(t, home, { version })
    // It asks for the discovery of each component apart, with and without a node.
    const components = Array.from({ length: 30 }, (_, at) => `component${at}`)
    const discovery = components.flatMap((name) => [
      `homeassistant/${name}/+/config`,
      `homeassistant/${name}/+/+/config`,
    ])
    const all = sensors(300)
    const filters = [...discovery, ...all.map(({ state }) => state)]
    t.same(await subscribeAll(client, filters), Array(filters.length).fill(0), 'all are granted')
    await gateway.publish('zigbee2mqtt/sensor 299', 'heard')
    await gateway.publish('homeassistant/component29/node/thing/config', '{}')
    await bear(client)
    await client.subscribe([STATUS], 0)
    await client.happened('message', 1)
    t.ok(client.texts.includes('heard'), 'what the last of them brings')
  })
}
