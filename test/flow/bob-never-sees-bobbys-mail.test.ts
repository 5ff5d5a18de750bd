import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

/** Names that begin with one another, in every direction that a key range could slip. */
const NAMES = ['bob', 'bobby', 'bob-', 'bob.', 'bob_', 'bo', 'bob0'] as const

t.test('names that begin alike have mailboxes apart, waiting and live', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const passwords = await relay.addUsers(...NAMES)
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  for (const name of NAMES) await sender.publish(`users/${name}/inbox/alice/m1`, `for ${name}`)
  await relay.restart()
  const again = await connect(t, relay, { name: 'alice', password: alice })
  for (const name of NAMES) {
    const device = await connect(
      t,
      relay,
      { name, password: passwords[name] },
      { clientId: 'phone' },
    )
    await device.subscribe(`users/${name}/inbox/#`)
    await again.publish(`users/${name}/inbox/alice/m2`, `live for ${name}`)
    await device.received(2)
    await device.settled()
    t.same(device.texts, [`for ${name}`, `live for ${name}`])
    await device.end()
  }
})

t.test('equal client ids of two users never meet', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const options = { clientId: 'phone', protocolVersion: 4, clean: false } as const
  const hers = await connect(t, relay, { name: 'alice', password: alice }, options)
  await hers.subscribe('users/alice/inbox/#')
  const his = await connect(t, relay, { name: 'bob', password: bob }, options)
  await his.publish('users/alice/inbox/bob/m1', 'for alice')
  await hers.received(1)
  await his.settled()
  t.ok(hers.mqtt.connected, 'nobody was taken over')
  t.same(his.arrivals, [])
})
