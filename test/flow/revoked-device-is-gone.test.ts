import t from 'tap'
import { connect, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('a revoked device is disconnected, kept out, and no longer waited for', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const lost = await connect(t, relay, me, { ...PERSISTENT_5, clientId: 'lost' })
  await lost.subscribe('users/bob/inbox/#')
  await lost.end()
  const phone = await connect(t, relay, me, { ...PERSISTENT_5, clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await phone.received(1)
  await phone.settled()
  t.match(await relay.ledger(), { queued: 1, delivered: 0 })
  await relay.ask('device.revoke', { user: 'bob', device: 'lost' })
  t.match(await relay.ledger(), { queued: 0, delivered: 1 })
  await t.rejects(connect(t, relay, me, { ...PERSISTENT_5, clientId: 'lost' }), { code: 0x87 })
  await relay.ask('device.revoke', { user: 'bob', device: 'phone' })
  await phone.closed()
  t.notOk(phone.mqtt.connected)
  await relay.ask('device.allow', { user: 'bob', device: 'lost' })
  const found = await connect(t, relay, me, { clientId: 'lost' })
  t.ok(found.mqtt.connected)
})
