import t from 'tap'
import { connect, PERSISTENT_4 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('a removed user is disconnected, and its mail and sessions end', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const phone = await connect(t, relay, me, { ...PERSISTENT_4, clientId: 'phone' })
  await phone.subscribe(['users/bob/inbox/#', 'things/#'])
  await phone.end()
  // Also one without a name of its own, which goes another way when it leaves.
  const nameless = await connect(t, relay, me, { clientId: '' })
  await nameless.subscribe('users/bob/inbox/#')
  const laptop = await connect(t, relay, me, { clientId: 'laptop' })
  await laptop.publish('users/bob/profile', '{"name":"Bob"}', { retain: true })
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await relay.ask('user.remove', { id: 'bob' })
  await Promise.all([laptop.closed(), nameless.closed()])
  t.match(await relay.ledger(), { queued: 0 })
  await t.rejects(connect(t, relay, me), { code: 0x86 })
  t.equal(await sender.publishForReason('users/bob/inbox/alice/m2', 'two'), 0x87)

  await relay.restart()
  const { bob: anew } = await relay.addUsers('bob')
  const newcomer = await connect(
    t,
    relay,
    { name: 'bob', password: anew },
    { ...PERSISTENT_4, clientId: 'phone' },
  )
  await newcomer.subscribe('users/bob/inbox/#')
  await newcomer.settled()
  t.same(newcomer.arrivals, [], 'the next of this name starts empty')
})

t.test('a new password ends the connections that were made with the old one', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const phone = await connect(t, relay, { name: 'alice', password: alice })
  const { password } = (await relay.ask('user.passwd', { id: 'alice' })) as { password: string }
  await phone.closed()
  await t.rejects(connect(t, relay, { name: 'alice', password: alice }), { code: 0x86 })
  await connect(t, relay, { name: 'alice', password })
})

t.test('a removed thing is gone, too', async (t) => {
  const relay = await startRelay(t)
  const password = await relay.addThing('lamp')
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  await relay.ask('thing.remove', { id: 'lamp' })
  await lamp.closed()
  await t.rejects(connect(t, relay, { name: 'thing:lamp', password }), { code: 0x86 })
})
