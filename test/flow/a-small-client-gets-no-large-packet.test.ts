import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const LARGE = 'x'.repeat(2_000)

t.test('a message beyond Maximum Packet Size waits for a client that takes it', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const user = { name: 'bob', password: bob }
  const phone = { clientId: 'phone' }
  const small = await connect(t, relay, user, { ...phone, properties: { maximumPacketSize: 500 } })
  await small.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/large', LARGE)
  await sender.publish('users/bob/inbox/alice/small', 'fits')
  await small.received(1)
  t.same(small.texts, ['fits'], 'the connection goes on, and so do other messages')
  await small.end()
  const roomy = await connect(t, relay, user, phone)
  await roomy.subscribe('users/bob/inbox/#')
  await roomy.received(1)
  t.same(roomy.texts, [LARGE])
})

t.test('an ordinary message beyond it is left out, at every QoS', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const options = { properties: { maximumPacketSize: 500 } }
  const reader = await connect(t, relay, { name: 'alice', password: alice }, options)
  await reader.subscribe('things/lamp/#', 2)
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  for (const qos of [0, 1, 2] as const) {
    await lamp.publish('things/lamp/a', LARGE, { qos })
    await lamp.publish('things/lamp/a', `QoS ${qos}`, { qos })
  }
  await reader.received(3)
  t.same(reader.texts, ['QoS 0', 'QoS 1', 'QoS 2'])
})
