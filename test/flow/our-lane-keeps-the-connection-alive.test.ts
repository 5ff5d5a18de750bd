import t from 'tap'
import { connect } from '../support/client.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

/** Keep alive is 1 s, so the relay gives up after 1.5 s of silence [MQTT-3.1.2-22]. */
const TALK_MS = 2_200

t.test('publishes and acknowledgements of messages count as signs of life', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const reader = await signIn(
    t,
    relay,
    { name: 'bob', password: bob },
    { clientId: 'phone', keepalive: 1 },
  )
  const topic = 'users/bob/inbox/#'
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
  await reader.next(9)
  const sender = await signIn(t, relay, { name: 'alice', password: alice }, { keepalive: 1 })
  const untilMs = performance.now() + TALK_MS
  let at = 0
  while (performance.now() < untilMs) {
    at += 1
    const id = `m${at}`
    sender.send({
      cmd: 'publish',
      topic: `users/bob/inbox/alice/${id}`,
      payload: 'x',
      qos: 1,
      messageId: (at % 60_000) + 1,
      dup: false,
      retain: false,
    })
    await sender.next(4)
    const frame = await reader.next(3)
    reader.send({ cmd: 'puback', messageId: frame.readUInt16BE(frame.length - 3) })
  }
  t.ok(sender.socket.writable && reader.socket.writable)
})

t.test('a silent client is cut after one and a half times its keep alive', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const silent = await signIn(t, relay, { name: 'alice', password: alice }, { keepalive: 1 })
  const watcher = await connect(t, relay, { name: 'alice', password: alice }, { clientId: 'w' })
  await silent.ended()
  t.ok(watcher.mqtt.connected)
})
