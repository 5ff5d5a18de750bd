import t, { type Test } from 'tap'
import { connect, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

async function people(t: Test) {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const me = { name: 'alice', password: alice }
  const lampUser = { name: 'thing:lamp', password }
  const lamp = await connect(t, relay, lampUser, { clientId: 'lamp' })
  return { relay, me, lamp, lampUser }
}

const TOPIC = 'things/lamp/a'
/** Asked for after another filter it comes after all that this one brings. */
const MARKER = 'things/lamp/marker'

t.test('RETAIN 0 keeps nothing and removes nothing [MQTT-3.3.1-12]', async (t) => {
  const { relay, me, lamp } = await people(t)
  await lamp.publish(TOPIC, 'kept', { retain: true })
  await lamp.publish(TOPIC, 'passing')
  await lamp.publish('things/lamp/b', 'passing')
  const watcher = await connect(t, relay, me)
  await lamp.publish(MARKER, 'end', { retain: true })
  await watcher.subscribe(['things/lamp/a', 'things/lamp/b', MARKER])
  await watcher.until((arrivals) => arrivals.some(({ text }) => text === 'end'))
  t.match(watcher.arrivals, [{ text: 'kept', isRetained: true }, { text: 'end' }])
  t.equal(watcher.arrivals.length, 2)
})

t.test('the same filter again replaces the first, and retained messages come again', async (t) => {
  const { relay, me, lamp } = await people(t)
  await lamp.publish(TOPIC, 'kept', { retain: true })
  for (const [index, options] of [{ protocolVersion: 4 } as const, PERSISTENT_5].entries()) {
    const watcher = await connect(t, relay, me, { ...options, clientId: `watcher-${index}` })
    t.same(await watcher.subscribe(TOPIC, 0), [0])
    await watcher.received(1)
    t.same(await watcher.subscribe(TOPIC, 1), [1])
    await watcher.received(2)
    await lamp.publish(TOPIC, 'live')
    await watcher.received(3)
    await watcher.settled()
    t.match(watcher.arrivals, [
      { text: 'kept', qos: 0 },
      { text: 'kept', qos: 1 },
      { text: 'live', qos: 1 },
    ])
    t.equal(watcher.arrivals.length, 3, 'one copy of each')
  }
})

t.test('nothing is lost while a filter is replaced [MQTT-3.8.4-4]', async (t) => {
  const { relay, me, lamp } = await people(t)
  const watcher = await connect(t, relay, me)
  await watcher.subscribe(TOPIC, 1)
  const sent: string[] = []
  for (let n = 0; n < 40; n += 1) {
    sent.push(`m${n}`)
    const [, granted] = await Promise.all([
      lamp.publish(TOPIC, `m${n}`),
      watcher.subscribe(TOPIC, n % 2 === 0 ? 1 : 2),
    ])
    t.ok(granted)
  }
  await watcher.received(sent.length)
  await watcher.settled()
  t.same(watcher.texts, sent)
})

t.test('Retain Handling says when retained messages come [MQTT-3.3.1-10]', async (t) => {
  const { relay, me, lamp } = await people(t)
  await lamp.publish(TOPIC, 'kept', { retain: true })
  await lamp.publish(MARKER, 'end', { retain: true })
  const watcher = await connect(t, relay, me)
  const subscribe = async (rh: 0 | 1 | 2) => {
    await watcher.mqtt.subscribeAsync({ [TOPIC]: { qos: 1, rh }, [MARKER]: { qos: 1, rh: 0 } })
    await watcher.until((arrivals) => arrivals.some(({ text }) => text === 'end'))
    return watcher.arrivals.splice(0).length - 1
  }
  t.equal(await subscribe(2), 0, 'never, also for a new one')
  t.equal(await subscribe(1), 0, 'only for a new one')
  t.equal(await subscribe(0), 1, 'each time')
  await watcher.unsubscribe(TOPIC)
  t.equal(await subscribe(1), 1, 'only for a new one')
})

t.test('U+FEFF in a topic is a character like others [MQTT-1.5.3-3]', async (t) => {
  const { relay, me, lamp } = await people(t)
  for (const protocolVersion of [4, 5] as const) {
    const watcher = await connect(t, relay, me, {
      protocolVersion,
      clientId: `v${protocolVersion}`,
    })
    await watcher.subscribe(['things/lamp/\uFEFFa', 'things/lamp/b'])
    await lamp.publish('things/lamp/a', 'without')
    await lamp.publish('things/lamp/\uFEFFa', 'with')
    await watcher.received(1)
    await watcher.settled()
    t.match(watcher.arrivals, [{ topic: 'things/lamp/\uFEFFa', text: 'with' }])
    t.equal(watcher.arrivals.length, 1)
  }
})

t.test('UNSUBACK answers each filter in its order [MQTT-3.11.3-1]', async (t) => {
  const { relay, me } = await people(t)
  const watcher = await connect(t, relay, me)
  await watcher.subscribe(['things/a/#', 'things/b/#'])
  const unsuback = new Promise((resolve) => {
    watcher.mqtt.on('packetreceive', (packet) => {
      if (packet.cmd === 'unsuback') resolve(packet.granted)
    })
  })
  await watcher.mqtt
    .unsubscribeAsync(['things/a/#', 'things/none/#', 'things/b/#'])
    .catch(() => undefined)
  t.same(await unsuback, [0x00, 0x11, 0x00])
})
