import t from 'tap'
import { connect, PERSISTENT_5, receipts } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const WILL = {
  topic: 'users/bob/inbox/alice/will-1',
  payload: Buffer.from('I am gone'),
  qos: 1 as const,
  retain: false,
}

t.test('a will to a person is a message: kept, delivered, receipted', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const desk = { ...PERSISTENT_5, clientId: 'desk' }
  const dying = await connect(t, relay, { name: 'alice', password: alice }, { ...desk, will: WILL })
  await dying.subscribe('users/alice/receipts/#')
  await dying.drop()
  const phone = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  await phone.received(1)
  t.match(phone.arrivals, [{ topic: WILL.topic, text: 'I am gone', qos: 1 }])
  const back = await connect(t, relay, { name: 'alice', password: alice }, desk)
  await back.until((all) => receipts(all).length >= 3)
  t.match(
    receipts(back.arrivals).map(({ status }) => status),
    ['stored', 'delivered', 'delivered'],
  )
})

t.test('a client that says goodbye leaves no will', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const client = await connect(t, relay, { name: 'alice', password: alice }, { will: WILL })
  await client.end()
  const next = await connect(t, relay, { name: 'alice', password: alice })
  await next.publish('users/bob/inbox/alice/m1', 'hello')
  t.match(await relay.ledger(), { accepted: 1 })
})

t.test('the will of a user who was removed, or of a revoked device, is not taken', async (t) => {
  const relay = await startRelay(t)
  const { alice, carol, bob } = await relay.addUsers('alice', 'carol', 'bob')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe(['users/bob/inbox/#', 'users/+/profile'])
  const topic = 'users/bob/inbox/carol/will-1'
  const removed = await connect(
    t,
    relay,
    { name: 'carol', password: carol },
    { will: { ...WILL, topic } },
  )
  await relay.ask('user.remove', { id: 'carol' })
  await removed.closed()
  const revoked = await connect(
    t,
    relay,
    { name: 'alice', password: alice },
    { clientId: 'lost', will: WILL },
  )
  await relay.ask('device.revoke', { user: 'alice', device: 'lost' })
  await revoked.closed()
  await reader.settled()
  t.same(reader.arrivals, [])
})
