import t from 'tap'
import { connect, PERSISTENT_4 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 200

t.test('a 3.1.1 device gets what an MQTT 5 sender sent while it was away, in order', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const phone = { ...PERSISTENT_4, clientId: 'phone' }
  const before = await connect(t, relay, { name: 'bob', password: bob }, phone)
  await before.subscribe('users/bob/inbox/#')
  await before.end()
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const texts = Array.from({ length: COUNT }, (_, at) => `m${at}`)
  await Promise.all(texts.map((text) => sender.publish(`users/bob/inbox/alice/${text}`, text)))
  t.match(await relay.ledger(), { accepted: COUNT, queued: COUNT })
  // Its subscriptions are part of the session: it need not say them again.
  const after = await connect(t, relay, { name: 'bob', password: bob }, phone)
  await after.received(COUNT)
  t.same(after.texts, texts)
  await after.settled()
  t.match(await relay.ledger(), { accepted: COUNT, queued: 0, delivered: COUNT })
})

t.test('a clean device that comes back and subscribes again finds its mail, too', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const phone = { protocolVersion: 4, clean: true, clientId: 'phone' } as const
  const before = await connect(t, relay, { name: 'bob', password: bob }, phone)
  await before.subscribe('users/bob/inbox/#')
  await before.drop()
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  const after = await connect(t, relay, { name: 'bob', password: bob }, phone)
  await after.subscribe('users/bob/inbox/#')
  await after.received(1)
  t.same(after.texts, ['one'])
})

t.test('a user without a device yet keeps mail for the first one', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'welcome')
  const first = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'first' })
  await first.subscribe('users/bob/inbox/#')
  await first.received(1)
  t.same(first.texts, ['welcome'])
})
