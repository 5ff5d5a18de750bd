import t from 'tap'
import { connect, PERSISTENT_4 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('a user of the same name as one who was removed starts with nothing', async (t) => {
  const relay = await startRelay(t)
  const password = await relay.addThing('lamp')
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  const phoneOf = (alice: string) =>
    connect(t, relay, { name: 'alice', password: alice }, { ...PERSISTENT_4, clientId: 'phone' })
  const old = await phoneOf((await relay.addUsers('alice')).alice)
  await old.subscribe('things/#')
  await old.end()
  await lamp.publish('things/lamp/state', 'for old alice')
  await relay.ask('user.remove', { id: 'alice' })
  const young = await phoneOf((await relay.addUsers('alice')).alice)
  await lamp.publish('things/lamp/state', 'for nobody')
  await young.settled()
  t.same(young.texts, [])
})
