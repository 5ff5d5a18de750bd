import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 10_000

t.test('ten thousand publishes in one write are all answered, in order', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const client = await signIn(t, relay, { name: 'alice', password: alice })
  client.send(
    ...Array.from({ length: COUNT }, (_, at) => ({
      cmd: 'publish' as const,
      topic: `users/bob/inbox/alice/m${at}`,
      payload: 'x',
      qos: 1 as const,
      messageId: at + 1,
      dup: false,
      retain: false,
    })),
  )
  let last = 0
  while (last < COUNT) {
    const id = (await client.next(4)).readUInt16BE(2)
    if (id !== last + 1) t.fail(`${id} after ${last}`)
    last = id
  }
  t.match(await relay.ledger(), { accepted: COUNT })
})

t.test('QoS 0 of an ordinary topic without a pause does not end the relay', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const reader = await signIn(t, relay, { name: 'alice', password: alice })
  const topic = 'things/lamp/#'
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
  await reader.next(9)
  const lamp = await signIn(t, relay, { name: 'thing:lamp', password })
  const publish = { cmd: 'publish', qos: 0, dup: false, retain: false } as const
  const flood = Array.from({ length: COUNT }, () => ({
    ...publish,
    topic: 'things/lamp/a',
    payload: 'x',
  }))
  for (let round = 0; round < 2; round += 1) lamp.send(...flood)
  lamp.send({ ...publish, topic: 'things/lamp/end', payload: 'x' })
  let frame = await reader.next(3)
  while (!frame.includes('things/lamp/end')) frame = await reader.next(3)
  lamp.send(...flood)
  lamp.socket.destroy()
  reader.send({ cmd: 'pingreq' })
  await reader.next(13)
  t.pass('the relay lives')
})

t.test(
  'of a SUBSCRIBE with more filters than a session may have the rest is refused',
  async (t) => {
    const relay = await startRelay(t)
    const { alice } = await relay.addUsers('alice')
    const user = { name: 'alice', password: alice }
    for (const version of [4, 5] as const) {
      const client = await signIn(t, relay, user, { version, clean: false })
      const subscriptions = Array.from({ length: COUNT }, (_, at) => ({
        topic: `things/a${at}/b`,
        qos: 1 as const,
      }))
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
      const suback = await client.next(9)
      const codes = suback.subarray(-COUNT)
      const max = LIMITS.filtersPerSessionMax
      t.ok(codes.subarray(0, max).every((code) => code === 1))
      t.ok(codes.subarray(max).every((code) => code === (version === 5 ? 0x97 : 0x80)))
    }
  },
)
