import t from 'tap'
import { begin, connect, PERSISTENT_4, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 50

for (const session of [PERSISTENT_4, PERSISTENT_5]) {
  const version = session.protocolVersion
  t.test(`the session moves, nothing is lost or doubled, protocol ${version}`, async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const me = { name: 'bob', password: bob }
    const phone = { ...session, clientId: 'phone' }
    const sender = await connect(t, relay, { name: 'alice', password: alice })
    const first = await connect(t, relay, me, phone)
    await first.subscribe('users/bob/inbox/#')
    const devices = [first]
    const texts = Array.from({ length: COUNT }, (_, at) => `m${at}`)
    for (const [at, text] of texts.entries()) {
      await sender.publish(`users/bob/inbox/alice/${text}`, text)
      if (at % 10 !== 9) continue
      const before = devices.at(-1)
      devices.push(await connect(t, relay, me, phone))
      await before?.closed()
    }
    const seen = () => devices.flatMap((device) => device.texts)
    const last = devices.at(-1)
    await last?.until(() => new Set(seen()).size === COUNT)
    await last?.settled()
    t.same([...new Set(seen())], texts, 'in order')
    t.ok(last?.isResumed)
    t.match(await relay.ledger(), { queued: 0, delivered: COUNT })
  })
}

t.test('of many at once one stays, and it is served', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const rivals = Array.from({ length: 12 }, (_, at) =>
    begin(t, relay, me, { clientId: 'phone', protocolVersion: at % 2 === 0 ? 4 : 5 }),
  )
  const ended = rivals.map(
    (rival) => new Promise<void>((resolve) => rival.mqtt.once('close', () => resolve())),
  )
  let left = rivals.length
  await new Promise<void>((resolve) => {
    for (const end of ended) {
      end.then(() => {
        left -= 1
        if (left === 1) resolve()
      }, t.fail)
    }
  })
  const stays = rivals.find((rival) => !rival.mqtt.disconnecting && rival.mqtt.stream.writable)
  if (stays === undefined) throw new Error('nobody stays')
  if (!stays.mqtt.connected) {
    await new Promise<void>((resolve) => stays.mqtt.once('connect', () => resolve()))
  }
  await stays.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'one')
  await stays.received(1)
  const { clients } = (await relay.ask('status')) as { clients: number }
  t.equal(clients, 2)
  await stays.end()
  const shown = (await relay.ask('user.show', { id: 'bob' })) as { online: boolean }
  t.notOk(shown.online)
})
