import t from 'tap'
import { type ClientOptions, connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const KINDS: Record<string, ClientOptions> = {
  '3.1.1 over TCP': { protocolVersion: 4 },
  '5 over TCP': { protocolVersion: 5 },
  '3.1.1 over WebSocket': { protocolVersion: 4, isWebSocket: true },
  '5 over WebSocket': { protocolVersion: 5, isWebSocket: true },
}

t.test('a message reaches a device that is here, whatever the two speak', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  for (const [at, [sending, options]] of Object.entries(KINDS).entries()) {
    const sender = await connect(t, relay, { name: 'alice', password: alice }, options)
    for (const [to, [receiving, others]] of Object.entries(KINDS).entries()) {
      const clientId = `phone-${to}`
      const reader = await connect(
        t,
        relay,
        { name: 'bob', password: bob },
        { ...others, clientId },
      )
      t.same(await reader.subscribe('users/bob/inbox/#'), [1])
      await sender.publish(`users/bob/inbox/alice/m-${at}-${to}`, `from ${sending}`)
      const [arrival] = await reader.until((all) =>
        all.some(({ topic }) => topic.endsWith(`m-${at}-${to}`)),
      )
      t.match(arrival, { qos: 1, isRetained: false }, `${sending} to ${receiving}`)
      t.ok(reader.texts.includes(`from ${sending}`))
      await reader.end()
    }
    await sender.end()
  }
})

t.test('MQTT 5 is told who sent it and when, and gets the properties as they were', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe('users/bob/inbox/#')
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello', {
    properties: {
      contentType: 'text/plain',
      responseTopic: 'users/alice/inbox/bob/r1',
      correlationData: Buffer.from([1, 2, 3]),
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      userProperties: { mood: 'good' },
    },
  })
  const [arrival] = await reader.received(1)
  t.match(arrival?.properties, {
    contentType: 'text/plain',
    responseTopic: 'users/alice/inbox/bob/r1',
    correlationData: Buffer.from([1, 2, 3]),
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
  })
  t.match(arrival?.userProperties, { mood: 'good', 'waypost-from': 'alice' })
  t.match(arrival?.userProperties['waypost-accepted-at'], /^\d{4}-\d\d-\d\dT/)
})

t.test('a QoS 0 subscription gets a copy and empties nothing', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const watcher = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'watch' })
  await watcher.subscribe('users/bob/inbox/#', 0)
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  await sender.publish('users/bob/inbox/alice/m1', 'hello')
  const [copy] = await watcher.received(1)
  t.equal(copy?.qos, 0)
  t.match(await relay.ledger(), { accepted: 1, queued: 1, delivered: 0 })
})
