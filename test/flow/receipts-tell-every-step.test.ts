import t, { type Test } from 'tap'
import { type ClientOptions, connect, receipts } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

async function people(t: Test, relay: TestRelay, options: ClientOptions) {
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const sender = await connect(
    t,
    relay,
    { name: 'alice', password: alice },
    { ...options, clientId: 'desk' },
  )
  await sender.subscribe('users/alice/receipts/#')
  return { sender, me: { name: 'bob', password: bob } }
}

t.test(
  'stored, delivered for each device, delivered, read: each once, in this order',
  async (t) => {
    const relay = await startRelay(t)
    const { sender, me } = await people(t, relay, { protocolVersion: 4 })
    await sender.publish('users/bob/inbox/alice/m1', 'hello')
    await sender.received(1)
    const phone = await connect(t, relay, me, { clientId: 'phone' })
    const laptop = await connect(t, relay, me, { clientId: 'laptop' })
    // Both hold mail before the first takes it.
    await laptop.subscribe('users/bob/inbox/nobody/none')
    await phone.subscribe('users/bob/inbox/#')
    await sender.received(2)
    await laptop.subscribe('users/bob/inbox/#')
    await sender.received(4)
    await laptop.publish('users/alice/receipts/bob/m1', '{"status":"read"}')
    await phone.publish('users/alice/receipts/bob/m1', '')
    await sender.received(5)
    await sender.settled()
    t.match(receipts(sender.arrivals), [
      { status: 'stored' },
      { status: 'delivered', device: 'phone' },
      { status: 'delivered', device: 'laptop' },
      { status: 'delivered', device: undefined },
      { status: 'read' },
    ])
    t.equal(sender.arrivals.length, 5)
    t.match(sender.arrivals[0], { topic: 'users/alice/receipts/bob/m1', qos: 1 })
    const { at, clock } = JSON.parse(sender.arrivals[0]?.text ?? '')
    t.match(at, /^\d{4}-/)
    t.match(clock, /^(none|device|peer|ntp|gps)$/)
  },
)

t.test('receipts wait for a sender who is away, over a restart', async (t) => {
  const relay = await startRelay(t)
  const { sender, me } = await people(t, relay, { protocolVersion: 4, clean: false })
  const { username, password } = sender.mqtt.options
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  await sender.received(1)
  await sender.end()
  const phone = await connect(t, relay, me, { clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  await phone.received(1)
  await phone.settled()
  await relay.restart()
  const user = { name: String(username), password: String(password) }
  const back = await connect(t, relay, user, { protocolVersion: 4, clean: false, clientId: 'desk' })
  await back.received(2)
  t.match(receipts(back.arrivals), [
    { status: 'delivered', device: 'phone' },
    { status: 'delivered' },
  ])
})

t.test(
  'MQTT 5 is refused with 0x87 for no right and 0x97 for no room, and by receipt',
  async (t) => {
    const relay = await startRelay(t, { keys: { 'quota.mailbox_messages': '1' } })
    const { sender } = await people(t, relay, { protocolVersion: 5 })
    t.equal(await sender.publishForReason('users/bob/inbox/alice/m1', 'one'), 0)
    t.equal(await sender.publishForReason('users/bob/inbox/alice/m2', 'two'), 0x97)
    t.equal(await sender.publishForReason('users/bob/inbox/alice/m3', 'x', { qos: 2 }), 0x97)
    t.equal(await sender.publishForReason('users/nobody/inbox/alice/m4', 'x'), 0x87)
    t.equal(
      await sender.publishForReason('users/alice/inbox/bob/m5', 'x'),
      0x87,
      'as somebody else',
    )
    t.equal(await sender.publishForReason('users/bob/receipts/alice/m9', 'x'), 0x87)
    t.equal(await sender.publishForReason('somewhere/else', 'x'), 0x87)
    await sender.received(4)
    await sender.settled()
    t.match(receipts(sender.arrivals), [
      { status: 'stored' },
      { status: 'refused' },
      { status: 'refused' },
      { status: 'refused' },
    ])
    t.ok(sender.mqtt.connected)
  },
)

t.test('3.1.1 is acknowledged and told by receipt', async (t) => {
  const relay = await startRelay(t, { keys: { 'quota.mailbox_messages': '1' } })
  const { sender } = await people(t, relay, { protocolVersion: 4 })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await sender.publish('users/bob/inbox/alice/m2', 'two', { qos: 2 })
  await sender.publish('users/nobody/inbox/alice/m3', 'three')
  await sender.publish('users/bob/inbox/alice/m4', 'four', { qos: 0 })
  await sender.received(4)
  t.match(receipts(sender.arrivals), [
    { status: 'stored' },
    { status: 'refused' },
    { status: 'refused' },
    { status: 'refused' },
  ])
  t.match(await relay.ledger(), { accepted: 1, refused: 3 })
  t.ok(sender.mqtt.connected)
})

t.test('read is said of a message that was not there: refused', async (t) => {
  const relay = await startRelay(t)
  const { me } = await people(t, relay, {})
  const phone = await connect(t, relay, me)
  t.equal(await phone.publishForReason('users/alice/receipts/bob/none', ''), 0x87)
  t.equal(
    await phone.publishForReason('users/alice/receipts/bob/m1', '{"status":"delivered"}'),
    0x87,
  )
})
