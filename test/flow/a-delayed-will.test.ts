import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

t.test('a delayed will comes as any other message, without its delay', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const password = await relay.addThing('lamp')
  const reader = await connect(t, relay, { name: 'alice', password: alice })
  await reader.subscribe('things/lamp/#')
  const lamp = await connect(
    t,
    relay,
    { name: 'thing:lamp', password },
    {
      properties: { sessionExpiryInterval: 60 },
      will: {
        topic: 'things/lamp/last-words',
        payload: Buffer.from('gone'),
        qos: 1,
        retain: false,
        properties: {
          willDelayInterval: 1,
          messageExpiryInterval: 60,
          contentType: 'text/plain',
          userProperties: { why: 'unknown' },
        },
      },
    },
  )
  await lamp.drop()
  const [will] = await reader.received(1)
  t.equal(will?.text, 'gone')
  t.match(will?.properties, { contentType: 'text/plain', userProperties: { why: 'unknown' } })
  t.notOk('willDelayInterval' in (will?.properties ?? {}))
})
