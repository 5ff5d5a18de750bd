import t from 'tap'
import { connect, PERSISTENT_4 } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const OTHERS = [
  'users/bob/inbox/#',
  'users/bob/inbox/alice/m1',
  'users/bob/#',
  'users/+/inbox/#',
  'users/+/inbox/+/+',
  'users/+/receipts/#',
  'users/#',
  'users/+/#',
  '+/bob/inbox/#',
  '+/+/inbox/#',
  '#',
  '+/#',
  'users/bob/signals/#',
  'users/BOB/inbox/#',
  'users/b%6fb/inbox/#',
  'users/bob%2finbox/#',
  'users//bob/inbox/#',
  'users/../users/bob/inbox/#',
  'groups/+/inbox/#',
  '$SYS/#',
  '$share/g/users/bob/inbox/#',
  '$share/g/#',
  '$share/users/mallory/inbox/#',
]

async function people(relay: TestRelay) {
  const { alice, bob, mallory } = await relay.addUsers('alice', 'bob', 'mallory')
  return {
    alice: { name: 'alice', password: alice },
    bob: { name: 'bob', password: bob },
    mallory: { name: 'mallory', password: mallory },
  }
}

for (const version of [4, 5] as const) {
  t.test(`no filter reads the mail of others, protocol ${version}`, async (t) => {
    const relay = await startRelay(t)
    const { alice, bob, mallory } = await people(relay)
    const thief = await connect(t, relay, mallory, { protocolVersion: version, clientId: 'phone' })
    for (const filter of OTHERS) {
      const [granted] = await thief.subscribe(filter)
      t.ok(Number(granted) >= 0x80, `${filter} is refused`)
    }
    const reader = await connect(t, relay, bob, { clientId: 'phone' })
    await reader.subscribe(['users/bob/#'])
    const sender = await connect(t, relay, alice)
    await sender.publish('users/bob/inbox/alice/m1', 'secret', { retain: true })
    await sender.publish('users/bob/signals/alice/typing', 'secret', { qos: 0, retain: true })
    await reader.until((all) => all.filter(({ text }) => text === 'secret').length === 2)
    await thief.subscribe(['users/mallory/inbox/#', 'users/+/profile'])
    await thief.settled()
    t.same(thief.arrivals, [])
  })
}

t.test('where a rule allows #, it brings only what is readable', async (t) => {
  const rule = {
    who: '*',
    topics: '#',
    actions: ['publish', 'subscribe'],
    effect: 'allow',
  } as const
  const relay = await startRelay(t, { rules: [{ ...rule, actions: [...rule.actions] }] })
  const { alice, bob, mallory } = await people(relay)
  const thief = await connect(t, relay, mallory, { ...PERSISTENT_4, clientId: 'phone' })
  t.same(await thief.subscribe(['#', '+/+/+/+/+']), [1, 1])
  const reader = await connect(t, relay, bob, { clientId: 'phone' })
  await reader.subscribe(['users/bob/inbox/#', 'users/bob/signals/#'])
  const sender = await connect(t, relay, alice)
  await sender.publish('users/bob/inbox/alice/m1', 'secret')
  await sender.publish('users/bob/signals/alice/typing', 'secret', { qos: 0 })
  await sender.publish('open/topic', 'open')
  await reader.received(2)
  await thief.until((all) => all.some(({ text }) => text === 'open'))
  t.notOk(thief.texts.includes('secret'))
  await sender.publish('users/mallory/inbox/alice/m2', 'for mallory')
  await thief.until((all) => all.some(({ text }) => text === 'for mallory'))
})

t.test('nobody writes as another, by publish, will, retained set or clear', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob, mallory } = await people(relay)
  const owner = await connect(t, relay, bob, { clientId: 'phone' })
  await owner.publish('users/bob/profile', '{"name":"Bob"}', { retain: true })
  await owner.subscribe(['users/bob/#'])
  const thief = await connect(t, relay, mallory)
  const forged = [
    'users/bob/inbox/alice/m1',
    'users/bob/inbox/bob/m1',
    'users/bob/profile',
    'users/bob/presence',
    'users/bob/signals/alice/typing',
    'users/alice/receipts/bob/m1',
    'things/lamp/status',
    'relays/depot/status',
    '$SYS/x',
    'users/bob/inbox/mallory/m1/more',
    'users/Bob/inbox/mallory/m1',
  ]
  for (const topic of forged) {
    t.equal(await thief.publishForReason(topic, 'forged', { retain: true }), 0x87, topic)
    t.equal(await thief.publishForReason(topic, '', { retain: true }), 0x87, `clear ${topic}`)
  }
  for (const [at, topic] of forged.entries()) {
    const will = { topic, payload: Buffer.from('forged'), qos: 1 as const, retain: true }
    const dying = await connect(t, relay, mallory, { clientId: `w${at}`, will })
    await dying.drop()
  }
  const sender = await connect(t, relay, alice)
  await sender.publish('users/bob/inbox/alice/end', 'end')
  await owner.until((all) => all.some(({ text }) => text === 'end'))
  t.notOk(owner.texts.includes('forged'))
  const reader = await connect(t, relay, alice, { clientId: 'reader' })
  await reader.subscribe('users/bob/profile')
  await reader.received(1)
  t.same(reader.texts, ['{"name":"Bob"}'])
})

t.test('the session and the queue of another user are not to be had by client id', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob, mallory } = await people(relay)
  const victim = await connect(t, relay, bob, { ...PERSISTENT_4, clientId: 'phone' })
  await victim.subscribe(['users/bob/inbox/#', 'users/+/profile'])
  await victim.end()
  const sender = await connect(t, relay, alice)
  await sender.publish('users/bob/inbox/alice/m1', 'secret')
  for (const clientId of ['phone', 'bob/phone', '../bob/phone', 'bob/phone/', '/phone']) {
    const thief = await connect(t, relay, mallory, { ...PERSISTENT_4, clientId })
    await thief.settled()
    t.same(thief.arrivals, [], `as ${clientId}`)
    await thief.end()
  }
  const back = await connect(t, relay, bob, { ...PERSISTENT_4, clientId: 'phone' })
  await back.received(1)
  t.same(back.texts, ['secret'])
})

t.test('names that objects have are ordinary names', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await people(relay)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    for (const version of [4, 5] as const) {
      const options = { clientId: name, protocolVersion: version }
      const first = await connect(t, relay, alice, options)
      const second = await connect(t, relay, alice, options)
      await first.closed()
      const refused = version === 5 ? 0x87 : 0x80
      t.same(await second.subscribe(name), [refused])
      t.same(await second.subscribe([name, 'things/#', `${name}/#`]), [refused, 1, refused])
      await second.publish(name, 'x', { qos: 0 })
      await second.settled()
      await second.end()
    }
  }
  const stranger = connect(t, relay, { name: '__proto__', password: 'x' })
  await t.rejects(stranger, { code: 0x86 })
})
