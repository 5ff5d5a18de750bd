import t from 'tap'
import { connect, PERSISTENT_4, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('what a thing retains is shown to who comes later, over a restart', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  await lamp.publish('things/lamp/power', 'on', { retain: true })
  await lamp.publish('things/lamp/colour', 'red', { retain: true, qos: 0 })
  await lamp.publish('things/lamp/colour', '', { retain: true })
  await relay.restart()
  const watcher = await connect(t, relay, { name: 'alice', password: alice })
  await watcher.subscribe('things/+/+')
  await watcher.received(1)
  await watcher.settled()
  t.match(watcher.arrivals, [{ topic: 'things/lamp/power', text: 'on', isRetained: true }])
  t.equal(watcher.arrivals.length, 1)
})

for (const session of [PERSISTENT_4, PERSISTENT_5]) {
  t.test(`a session gets what it missed, protocol ${session.protocolVersion}`, async (t) => {
    const relay = await startRelay(t)
    const { alice } = await relay.addUsers('alice')
    const password = await relay.addThing('lamp')
    const me = { name: 'alice', password: alice }
    const phone = { ...session, clientId: 'phone' }
    const before = await connect(t, relay, me, phone)
    await before.subscribe('things/lamp/#')
    await before.end()
    const lamp = await connect(t, relay, { name: 'thing:lamp', password })
    for (let at = 0; at < 20; at += 1) await lamp.publish('things/lamp/a', `${at}`)
    await lamp.publish('things/lamp/a', 'only live', { qos: 0 })
    await relay.restart()
    const after = await connect(t, relay, me, phone)
    await after.received(20)
    await after.settled()
    t.same(
      after.texts,
      Array.from({ length: 20 }, (_, at) => `${at}`),
    )
    await after.end()
    const again = await connect(t, relay, me, phone)
    await again.settled()
    t.same(again.arrivals, [], 'once')
    t.ok(again.isResumed)
  })
}

t.test('a profile is retained and every user reads it', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const owner = await connect(t, relay, { name: 'alice', password: alice })
  await owner.publish('users/alice/profile', '{"name":"Alice"}', { retain: true })
  const reader = await connect(t, relay, { name: 'bob', password: bob })
  await reader.subscribe('users/+/profile')
  await reader.received(1)
  await owner.publish('users/alice/profile', '{"name":"Alice A."}', { retain: true })
  await reader.received(2)
  t.same(
    reader.arrivals.map(({ isRetained }) => isRetained),
    [true, false],
  )
})
