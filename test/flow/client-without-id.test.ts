import t from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

for (const protocolVersion of [4, 5] as const) {
  t.test(`mail is not held for a nameless client that has left, ${protocolVersion}`, async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const me = { name: 'bob', password: bob }
    const phone = await connect(t, relay, me, { clientId: 'phone' })
    await phone.subscribe('users/bob/inbox/#')
    const nameless = await connect(t, relay, me, { clientId: '', protocolVersion })
    await nameless.subscribe('users/bob/inbox/#')
    const sender = await connect(t, relay, { name: 'alice', password: alice })
    await sender.publish('users/bob/inbox/alice/m1', 'one')
    await Promise.all([phone.received(1), nameless.received(1)])
    await nameless.end()
    await sender.publish('users/bob/inbox/alice/m2', 'two')
    await phone.received(2)
    await phone.settled()
    t.match(await relay.ledger(), { queued: 0, delivered: 2 })
  })
}

t.test('a nameless client that keeps its session comes back under the assigned name', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const properties = { sessionExpiryInterval: 600 }
  const first = await connect(t, relay, me, { clientId: '', properties })
  const clientId = first.assignedId
  await first.subscribe('users/bob/inbox/#')
  const phone = await connect(t, relay, me, { clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  await first.end()
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await phone.received(1)
  await phone.settled()
  t.match(await relay.ledger(), { queued: 1 })
  const back = await connect(t, relay, me, { clientId, clean: false, properties })
  await back.received(1)
  t.same(back.texts, ['one'])
})

t.test('3.1.1 without id and with a session to keep is refused', async (t) => {
  const relay = await startRelay(t)

  const { alice } = await relay.addUsers('alice')
  const client = await open(t, relay)
  const bytes = client.bytesOf(connectPacket({ name: 'alice', password: alice }, { clientId: '' }))
  // The flag Clean Session, which no library lets one take away here.
  bytes[9] = (bytes[9] ?? 0) & ~0x02
  client.socket.write(bytes)
  t.same(await client.next(2), Buffer.from([0x20, 2, 0, 2]))
  await client.ended()
})
