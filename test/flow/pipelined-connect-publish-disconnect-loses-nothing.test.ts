import t, { type Test } from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open, type RawOptions } from '../support/raw.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const TIMES = 100
const ABRUPT_TIMES = 1_000
/** Fewer than `strangersPerAddressMax`: each is a stranger until its CONNECT has come. */
const AT_ONCE = 32

t.test('CONNECT, PUBLISH and DISCONNECT in one write lose nothing', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const lamp = await relay.addThing('lamp')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe(['users/bob/inbox/#', 'things/lamp/#'])
  const publish = { cmd: 'publish', dup: false, retain: false } as const
  for (let at = 0; at < TIMES; at += 1) {
    const version = at % 2 === 0 ? 4 : 5
    const clientId = `once-${at}`
    const person = await open(t, relay, { version })
    const inbox = `users/bob/inbox/alice/m${at}`
    person.socket.end(
      person.bytesOf(
        connectPacket({ name: 'alice', password: alice }, { version, clientId }),
        { ...publish, topic: `${inbox}-1`, payload: `m${at}-1`, qos: 1, messageId: 1 },
        { ...publish, topic: `${inbox}-0`, payload: `m${at}-0`, qos: 0 },
        { cmd: 'disconnect' },
      ),
    )
    const thing = await open(t, relay, { version })
    thing.socket.end(
      thing.bytesOf(
        connectPacket({ name: 'thing:lamp', password: lamp }, { version, clientId }),
        { ...publish, topic: 'things/lamp/a', payload: `t${at}-1`, qos: 1, messageId: 1 },
        { ...publish, topic: 'things/lamp/b', payload: `t${at}-0`, qos: 0 },
        { cmd: 'disconnect' },
      ),
    )
  }
  await reader.received(4 * TIMES)
  const expected = Array.from({ length: TIMES }, (_, at) => [
    `m${at}-1`,
    `m${at}-0`,
    `t${at}-1`,
    `t${at}-0`,
  ])
  t.same(reader.texts.toSorted(), expected.flat().toSorted())
})

t.test('nor do a thousand publishes in one write, without a goodbye', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe('users/bob/inbox/#')
  const sender = await open(t, relay)
  const texts = Array.from({ length: 1_000 }, (_, at) => `m${at}`)
  sender.socket.end(
    sender.bytesOf(
      connectPacket({ name: 'alice', password: alice }),
      ...texts.map((text, at) => ({
        cmd: 'publish' as const,
        topic: `users/bob/inbox/alice/${text}`,
        payload: text,
        qos: 1 as const,
        messageId: at + 1,
        dup: false,
        retain: false,
      })),
    ),
  )
  await reader.received(texts.length)
  t.same(reader.texts, texts)
})

/** CONNECT, a PUBLISH with QoS 0 and the end of the connection in one write, as sensors do it. */
async function leaveWord(
  t: Test,
  relay: TestRelay,
  user: { name: string; password: string },
  word: RawOptions & { topic: string; text: string },
): Promise<void> {
  const { topic, text, ...options } = word
  const client = await open(t, relay, options)
  client.socket.end(
    client.bytesOf(connectPacket(user, options), {
      cmd: 'publish',
      topic,
      payload: text,
      qos: 0,
      dup: false,
      retain: false,
    }),
  )
  await client.ended()
}

t.test('nor do a thousand clients that publish with QoS 0 and are gone', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const lamp = await relay.addThing('lamp')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe(['users/bob/inbox/#', 'things/lamp/#'])
  const senders = [
    { user: { name: 'alice', password: alice }, prefix: 'users/bob/inbox/alice/m' },
    { user: { name: 'thing:lamp', password: lamp }, prefix: 'things/lamp/' },
  ]
  const words = Array.from({ length: ABRUPT_TIMES }, (_, at) => at)
  const rest = words.values()
  const lane = async (_: unknown, number: number): Promise<void> => {
    for (const at of rest) {
      const version = at % 4 < 2 ? 4 : 5
      for (const { user, prefix } of senders) {
        const topic = `${prefix}${at}`
        await leaveWord(t, relay, user, { version, clientId: `c${number}`, topic, text: topic })
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  await reader.received(senders.length * ABRUPT_TIMES)
  const expected = senders.flatMap(({ prefix }) => words.map((at) => `${prefix}${at}`))
  t.same(reader.texts.toSorted(), expected.toSorted())
})
