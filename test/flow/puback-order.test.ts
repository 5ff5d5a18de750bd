import t from 'tap'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 300

t.test('acknowledgements come in the order of the publishes, whatever they were of', async (t) => {
  const rule = {
    who: '*',
    topics: 'open/#',
    actions: ['publish' as const],
    effect: 'allow' as const,
  }
  const relay = await startRelay(t, { rules: [rule] })
  const { alice } = await relay.addUsers('alice', 'bob')
  const topicOf = (at: number) =>
    [
      `users/bob/inbox/alice/m${at}`,
      'open/topic',
      'users/alice/profile',
      'users/nobody/inbox/alice/m1',
      'users/bob/signals/alice/typing',
      'forbidden/topic',
    ][at % 6] ?? ''
  for (const version of [4, 5] as const) {
    for (const qos of [1, 2] as const) {
      const clientId = `c${version}${qos}`
      const client = await signIn(
        t,
        relay,
        { name: 'alice', password: alice },
        { version, clientId },
      )
      client.send(
        ...Array.from({ length: COUNT }, (_, at) => ({
          cmd: 'publish' as const,
          topic: topicOf(at),
          payload: 'x',
          qos,
          messageId: at + 1,
          dup: false,
          retain: at % 5 === 0,
        })),
      )
      const ids: number[] = []
      while (ids.length < COUNT) ids.push((await client.next(qos === 1 ? 4 : 5)).readUInt16BE(2))
      t.same(
        ids,
        ids.toSorted((one, other) => one - other),
        `protocol ${version}, QoS ${qos}`,
      )
    }
  }
})
