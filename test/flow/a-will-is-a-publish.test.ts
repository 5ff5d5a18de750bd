import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const TOPIC = 'things/lamp/will'
/** Asked for after another filter it comes after all that this one brings. */
const MARKER = 'things/lamp/marker'

t.test('a will is retained where it says so [MQTT-3.1.2-16] [MQTT-3.1.2-17]', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const lamp = { name: 'thing:lamp', password: await relay.addThing('lamp') }
  const me = { name: 'alice', password: alice }
  const marker = await connect(t, relay, lamp)
  await marker.publish(MARKER, 'end', { retain: true })
  for (const protocolVersion of [4, 5] as const) {
    const watcher = await connect(t, relay, me, { clientId: `watcher-${protocolVersion}` })
    await watcher.subscribe(TOPIC)
    const seenLate = async (id: string) => {
      const late = await connect(t, relay, me, { clientId: id })
      await late.subscribe([TOPIC, MARKER])
      await late.until((arrivals) => arrivals.some(({ text }) => text === 'end'))
      return late.texts.slice(0, -1)
    }
    for (const [count, retain] of [false, true].entries()) {
      const will = { topic: TOPIC, payload: Buffer.from(`gone-${retain}`), qos: 1 as const, retain }
      const client = await connect(t, relay, lamp, { protocolVersion, will })
      await client.drop()
      await watcher.received(count + 1)
      const late = await seenLate(`late-${protocolVersion}-${retain}`)
      t.same(late, retain ? ['gone-true'] : [], `version ${protocolVersion}, retain ${retain}`)
    }
    t.same(watcher.texts, ['gone-false', 'gone-true'])
    const cleaner = await connect(t, relay, lamp)
    await cleaner.publish(TOPIC, '', { retain: true })
  }
})

t.test('without a will nothing is published at the end [MQTT-3.1.2-12]', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const lamp = { name: 'thing:lamp', password: await relay.addThing('lamp') }
  const watcher = await connect(t, relay, { name: 'alice', password: alice })
  await watcher.subscribe('things/#')
  const silent = await connect(t, relay, lamp, { clientId: 'lamp' })
  await silent.drop()
  // A second connection of the client is let in when the first is done with.
  const again = await connect(t, relay, lamp, { clientId: 'lamp' })
  await again.publish('things/lamp/a', 'here')
  await watcher.received(1)
  t.same(watcher.texts, ['here'])
})

t.test('back within the delay: the will is not sent [MQTT-3.1.3-9]', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const lamp = { name: 'thing:lamp', password: await relay.addThing('lamp') }
  const watcher = await connect(t, relay, { name: 'alice', password: alice })
  await watcher.subscribe('things/#')
  const delayed = {
    clientId: 'lamp',
    clean: false,
    properties: { sessionExpiryInterval: 60 },
  } as const
  const willOf = (willDelayInterval: number) => ({
    topic: TOPIC,
    payload: Buffer.from(`after ${willDelayInterval} s`),
    qos: 1 as const,
    retain: false,
    properties: { willDelayInterval },
  })
  const first = await connect(t, relay, lamp, { ...delayed, will: willOf(1) })
  await first.drop()
  const second = await connect(t, relay, lamp, delayed)
  // Another will with the same delay is waited for: the first would have come before it.
  const other = await connect(t, relay, lamp, { ...delayed, clientId: 'other', will: willOf(2) })
  await other.drop()
  await watcher.received(1)
  t.same(watcher.texts, ['after 2 s'])
  await second.end()
})
