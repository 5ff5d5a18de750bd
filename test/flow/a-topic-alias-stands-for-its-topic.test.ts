import t from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

t.test('in messages to people and on ordinary topics, also where it changes hands', async (t) => {
  const rule = { who: '*', topics: 'open/#', effect: 'allow' } as const
  const rules = [{ ...rule, actions: ['publish' as const, 'subscribe' as const] }]
  const relay = await startRelay(t, { rules })
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const reader = await connect(t, relay, { name: 'bob', password: bob })
  await reader.subscribe('users/bob/inbox/#')
  const own = await connect(t, relay, { name: 'alice', password: alice })
  await own.subscribe('open/#')

  const raw = await open(t, relay, { version: 5 })
  raw.send(connectPacket({ name: 'alice', password: alice }, { version: 5 }))
  const connack = await raw.next(2)
  t.ok(connack.includes(Buffer.from([0x22, 0, 16])), 'CONNACK says how many aliases there are')
  const publish = { cmd: 'publish', qos: 1, dup: false, retain: false } as const
  const aliased = (topic: string, payload: string, messageId: number) =>
    raw.send({ ...publish, topic, payload, messageId, properties: { topicAlias: 1 } })
  aliased('users/bob/inbox/alice/m1', 'one', 1)
  aliased('open/a', 'two', 2)
  aliased('', 'three', 3)
  aliased('users/bob/inbox/alice/m2', 'four', 4)
  aliased('', 'a retry of four', 5)
  for (let at = 1; at <= 5; at += 1) t.equal((await raw.next(4)).readUInt16BE(2), at)
  await reader.received(2)
  t.same(reader.texts, ['one', 'four'])
  await own.received(2)
  t.same(own.texts, ['two', 'three'])
})
