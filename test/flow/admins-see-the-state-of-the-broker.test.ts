import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('an admin reads $SYS, at once and as it is', async (t) => {
  const relay = await startRelay(t)
  const { id, password } = relay.firstAdmin ?? { id: '', password: '' }
  const admin = await connect(t, relay, { name: id, password })
  t.same(await admin.subscribe('$SYS/broker/#'), [1])
  const shows = (name: string) => (arrivals: readonly { topic: string }[]) =>
    arrivals.some(({ topic }) => topic === `$SYS/broker/${name}`)
  await admin.until(shows('version'))
  await admin.until(shows('load/sockets/15min'))
  t.ok(admin.arrivals.every(({ isRetained }) => isRetained))
  t.match(
    admin.arrivals.find(({ topic }) => topic === '$SYS/broker/version'),
    { text: /^waypost version \d/ },
  )
})

t.test('it moves under load', { timeout: 60_000 }, async (t) => {
  const relay = await startRelay(t)
  const { id, password } = relay.firstAdmin ?? { id: '', password: '' }
  const admin = await connect(t, relay, { name: id, password })
  const { alice } = await relay.addUsers('alice')
  await admin.subscribe([
    '$SYS/broker/publish/messages/received',
    '$SYS/broker/load/publish/+/1min',
  ])
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  for (let n = 0; n < 20; n += 1) await sender.publish(`users/alice/inbox/alice/m${n}`, 'x')
  await admin.until((arrivals) =>
    arrivals.some(({ topic, text }) => /received$/.test(topic) && Number(text) >= 20),
  )
  await admin.until((arrivals) =>
    arrivals.some(({ topic, text }) => /1min$/.test(topic) && Number(text) > 1),
  )
  t.pass('both have moved')
})

t.test('nobody else reads or writes it, and nothing of it is on disk', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const user = await connect(t, relay, { name: 'alice', password: alice })
  t.same(await user.subscribe('$SYS/broker/#'), [0x87])
  t.equal(await user.publishForReason('$SYS/broker/version', 'mine'), 0x87)
  const admin = relay.firstAdmin ?? { id: '', password: '' }
  const boss = await connect(t, relay, { name: admin.id, password: admin.password })
  t.equal(await boss.publishForReason('$SYS/broker/version', 'mine'), 0x87)
  await relay.restart()
  const again = await connect(t, relay, { name: admin.id, password: admin.password })
  await again.subscribe('$SYS/broker/uptime')
  t.match(await again.received(1), [{ text: '0 seconds' }])
})
