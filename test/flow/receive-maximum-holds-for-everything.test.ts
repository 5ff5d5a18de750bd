import t from 'tap'
import { frameOf } from '../broker/frame.ts'
import { connect } from '../support/client.ts'
import { connectPacket, open } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const PUBLISH = 3

t.test('mail and ordinary topics share Receive Maximum [MQTT-3.3.4-9]', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const password = await relay.addThing('lamp')
  const reader = await open(t, relay, { version: 5 })
  const user = { name: 'bob', password: bob }
  const properties = { receiveMaximum: 3 }
  reader.send({ ...connectPacket(user, { version: 5, clientId: 'phone' }), properties } as never)
  await reader.next(2)
  const subscriptions = ['users/bob/inbox/#', 'things/lamp/#'].map((topic) => ({
    topic,
    qos: 1 as const,
  }))
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await reader.next(9)
  const sender = await connect(t, relay, { name: 'alice', password: alice })
  const lamp = await connect(t, relay, { name: 'thing:lamp', password })
  for (let at = 0; at < 5; at += 1) {
    await sender.publish(`users/bob/inbox/alice/m${at}`, `mail ${at}`)
    await lamp.publish('things/lamp/a', `lamp ${at}`)
  }
  const texts: string[] = []
  for (let acknowledged = 0; acknowledged < 10; acknowledged += 1) {
    // A ping goes there and back: whatever was on its way has come.
    reader.send({ cmd: 'pingreq' })
    const seen = reader.frames.length
    while (!reader.frames.some((frame) => (frame[0] ?? 0) >> 4 === 13)) await reader.change()
    reader.frames.splice(
      reader.frames.findIndex((frame) => (frame[0] ?? 0) >> 4 === 13),
      1,
    )
    const waiting = reader.frames.filter((frame) => (frame[0] ?? 0) >> 4 === PUBLISH)
    t.ok(waiting.length <= 3, `${waiting.length} unacknowledged, ${seen} before the ping`)
    const { bytes, bodyAt } = frameOf(await reader.next(PUBLISH))
    const topicEnd = bodyAt + 2 + bytes.readUInt16BE(bodyAt)
    texts.push(/(mail|lamp) \d$/.exec(bytes.toString('latin1'))?.[0] ?? '')
    reader.send({ cmd: 'puback', messageId: bytes.readUInt16BE(topicEnd) })
  }
  const all = [0, 1, 2, 3, 4]
  t.same(
    texts.filter((text) => text.startsWith('mail')),
    all.map((at) => `mail ${at}`),
  )
  t.same(
    texts.filter((text) => text.startsWith('lamp')),
    all.map((at) => `lamp ${at}`),
  )
})
