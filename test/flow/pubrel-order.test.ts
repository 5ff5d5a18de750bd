import t from 'tap'
import { connect } from '../support/client.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const [PUBLISH, PUBREL, SUBACK] = [3, 6, 9] as const
const COUNT = 10

t.test('PUBREL comes in the order of the PUBRECs, mail and other topics mixed', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const password = await relay.addThing('lamp')
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const reader = await signIn(t, relay, { name: 'bob', password: bob })
  const subscriptions = ['users/bob/inbox/#', 'things/#'].map((topic) => ({
    topic,
    qos: 2 as const,
  }))
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await reader.next(SUBACK)
  const ids: number[] = []
  for (let n = 0; n < COUNT; n += 1) {
    const topic = n % 2 === 0 ? `users/bob/inbox/alice/m${n}` : 'things/lamp/a'
    await (n % 2 === 0 ? sender : lamp).publish(topic, 'x', { qos: 2 })
    const publish = await reader.next(PUBLISH)
    ids.push(publish.readUInt16BE(4 + topic.length))
  }
  t.equal(new Set(ids).size, COUNT)
  ids.reverse()
  reader.send(...ids.map((messageId) => ({ cmd: 'pubrec' as const, messageId })))
  const released: number[] = []
  while (released.length < COUNT) released.push((await reader.next(PUBREL)).readUInt16BE(2))
  const kindOf = (at: number) => released.filter((id) => ids.indexOf(id) % 2 === at)
  t.same(
    kindOf(0),
    ids.filter((_, at) => at % 2 === 0),
    'of one kind',
  )
  t.same(
    kindOf(1),
    ids.filter((_, at) => at % 2 === 1),
    'of the other',
  )
})
