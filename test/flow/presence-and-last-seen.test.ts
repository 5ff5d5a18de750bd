import t from 'tap'
import { type Arrival, connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

function presenceOf(arrivals: readonly Arrival[], user: string): string[] {
  return arrivals
    .filter(({ topic }) => topic === `users/${user}/presence`)
    .map(({ text }) => (JSON.parse(text) as { status: string }).status)
}

t.test('a user is online while any device is, and offline with the last', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const watcher = await connect(t, relay, { name: 'bob', password: bob })
  await watcher.subscribe('users/alice/presence')
  await watcher.received(1)
  t.match(watcher.arrivals[0], { isRetained: true })
  const me = { name: 'alice', password: alice }
  const phone = await connect(t, relay, me, { clientId: 'phone' })
  const laptop = await connect(t, relay, me, { clientId: 'laptop' })
  await phone.end()
  await laptop.drop()
  await watcher.received(3)
  t.same(presenceOf(watcher.arrivals, 'alice'), ['offline', 'online', 'offline'])
})

t.test('last seen outlives a restart, and nobody stays online over it', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  await connect(t, relay, { name: 'alice', password: alice }, { clientId: 'phone' })
  await relay.restart()
  const watcher = await connect(t, relay, { name: 'bob', password: bob })
  await watcher.subscribe('users/alice/presence')
  const [presence] = await watcher.received(1)
  const { status, lastSeen } = JSON.parse(presence?.text ?? '')
  t.equal(status, 'offline')
  t.ok(Date.now() - Date.parse(lastSeen) < 60_000)
})

t.test('whom the profile says may see it, and nobody else', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const { id: name, password } = relay.firstAdmin ?? { id: '', password: '' }
  const watcher = await connect(t, relay, { name: 'bob', password: bob })
  const admin = await connect(t, relay, { name, password })
  await watcher.subscribe('users/+/presence')
  await admin.subscribe('users/+/presence')
  const me = { name: 'alice', password: alice }
  const phone = await connect(t, relay, me, { clientId: 'phone' })
  await watcher.until((all) => presenceOf(all, 'alice').includes('online'))
  const profile = '{"name":"Alice","privacy":{"presence":"nobody"}}'
  await phone.publish('users/alice/profile', profile, { retain: true })
  const seen = watcher.arrivals.length
  await phone.end()
  await admin.until((all) => presenceOf(all, 'alice').at(-1) === 'offline')
  await watcher.settled()
  t.equal(watcher.arrivals.length, seen, 'bob is not told')
  const later = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'later' })
  await later.subscribe('users/alice/presence')
  await later.settled()
  t.same(later.arrivals, [], 'nor by what is retained')
  const own = await connect(t, relay, me)
  await own.subscribe('users/alice/presence')
  await own.received(1)
  t.pass('alice sees her own')
})
