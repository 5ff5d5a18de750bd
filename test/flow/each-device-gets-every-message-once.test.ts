import t from 'tap'
import { connect, PERSISTENT_4, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 100

t.test('each device gets every message once, and the last one empties the mailbox', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const phone = await connect(t, relay, me, { ...PERSISTENT_5, clientId: 'phone' })
  const laptop = { ...PERSISTENT_4, clientId: 'laptop' }
  await phone.subscribe('users/bob/inbox/#')
  const early = await connect(t, relay, me, laptop)
  await early.subscribe('users/bob/inbox/#', 2)
  await early.end()
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const texts = Array.from({ length: COUNT }, (_, at) => `m${at}`)
  const qosOf = (at: number) => (at % 2 === 0 ? 1 : 2)
  await Promise.all(
    texts.map((text, at) =>
      sender.publish(`users/bob/inbox/alice/${text}`, text, { qos: qosOf(at) }),
    ),
  )
  await phone.received(COUNT)
  t.match(await relay.ledger(), { queued: COUNT }, 'the laptop is still to come')
  const late = await connect(t, relay, me, laptop)
  await late.received(COUNT)
  await late.settled()
  t.same(phone.texts.toSorted(), texts.toSorted())
  t.same(late.texts.toSorted(), texts.toSorted())
  while ((await relay.ledger()).queued > 0) await late.settled()
  t.match(await relay.ledger(), { queued: 0, delivered: COUNT })
})

t.test('a retry of the sender with the same id is one message', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const phone = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const topic = 'users/bob/inbox/alice/m1'
  await Promise.all([sender.publish(topic, 'once'), sender.publish(topic, 'once')])
  await sender.publish(topic, 'once')
  await relay.restart()
  const again = await connect(t, relay, { name: 'alice', password: alice })
  await again.publish(topic, 'once')
  t.match(await relay.ledger(), { accepted: 1 })
  t.same(phone.texts, ['once'])
})

t.test('a device that has two filters for a message gets it once', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const phone = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await phone.subscribe(['users/bob/inbox/#', 'users/bob/+/alice/+', 'users/bob/inbox/alice/m1'])
  await phone.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await sender.publish('users/bob/inbox/alice/m2', 'two')
  await phone.received(2)
  await phone.settled()
  t.same(phone.texts, ['one', 'two'])
})
