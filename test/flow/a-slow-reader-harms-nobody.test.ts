import t from 'tap'
import { connect } from '../support/client.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 60
const PAYLOAD = Buffer.alloc(200_000, 'x')

t.test('a device that reads nothing harms neither senders nor other devices', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const me = { name: 'bob', password: bob }
  const stuck = await signIn(t, relay, me, { clientId: 'stuck' })
  const topic = 'users/bob/inbox/#'
  stuck.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
  await stuck.next(9)
  stuck.socket.pause()
  const phone = await connect(t, relay, me, { clientId: 'phone' })
  await phone.subscribe(topic)
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  for (let at = 0; at < COUNT; at += 1) {
    await sender.publish(`users/bob/inbox/alice/m${at}`, PAYLOAD)
  }
  await phone.received(COUNT)
  t.match(await relay.ledger(), { queued: COUNT, delivered: 0 }, 'the stuck one has it all to come')
  stuck.socket.resume()
  const seen: string[] = []
  while (seen.length < COUNT) {
    const frame = await stuck.next(3)
    const size = frame.length - PAYLOAD.length
    const packetId = frame.readUInt16BE(size - 2)
    seen.push(frame.subarray(6, size - 2).toString())
    stuck.send({ cmd: 'puback', messageId: packetId })
  }
  t.same(
    seen,
    Array.from({ length: COUNT }, (_, at) => `users/bob/inbox/alice/m${at}`),
    'in order',
  )
})

t.test(
  'a reader of an ordinary topic that reads nothing is let go, and nobody waits',
  async (t) => {
    const relay = await startRelay(t)
    const { bob } = await relay.addUsers('bob')
    const password = await relay.addThing('lamp')
    const me = { name: 'bob', password: bob }
    const stuck = await signIn(t, relay, me, { clientId: 'stuck' })
    const topic = 'things/#'
    stuck.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
    await stuck.next(9)
    stuck.socket.pause()
    const phone = await connect(t, relay, me, { clientId: 'phone' })
    await phone.subscribe(topic)
    const lamp = await connect(t, relay, { name: 'thing:lamp', password })
    for (let at = 0; at < COUNT; at += 1) await lamp.publish('things/lamp/a', PAYLOAD)
    await phone.received(COUNT)
    const { clients } = (await relay.ask('status')) as { clients: number }
    t.equal(clients, 2)
  },
)

t.test('a client that publishes and never reads its acknowledgements is bounded', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const client = await signIn(t, relay, { name: 'alice', password: alice })
  client.socket.pause()
  const many = client.bytesOf(
    ...Array.from({ length: 1_000 }, (_, at) => ({
      cmd: 'publish' as const,
      topic: 'users/bob/inbox/alice/m1',
      payload: 'x',
      qos: 1 as const,
      messageId: at + 1,
      dup: false,
      retain: false,
    })),
  )
  for (let round = 0; round < 10; round += 1) {
    await new Promise((resolve) => client.socket.write(many, resolve))
  }
  t.match(await relay.ledger(), { accepted: 1 })
})
