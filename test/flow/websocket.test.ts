import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { connect, PERSISTENT_4 } from '../support/client.ts'
import { connectPacket, signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

t.test('a message crosses from TCP to WebSocket and back, large ones too', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const phone = await connect(
    t,
    relay,
    { name: 'bob', password: bob },
    { ...PERSISTENT_4, clientId: 'phone', isWebSocket: true },
  )
  await phone.subscribe('users/bob/inbox/#', 2)
  const desk = await connect(t, relay, { name: 'alice', password: alice })
  const large = Buffer.alloc(250_000, 'x')
  await desk.publish('users/bob/inbox/alice/m1', large, { qos: 2 })
  const [arrival] = await phone.received(1)
  t.ok(arrival?.payload.equals(large))
  await desk.subscribe('users/alice/inbox/#')
  await phone.publish('users/alice/inbox/bob/m1', large)
  const [answer] = await desk.received(1)
  t.ok(answer?.payload.equals(large))
})

t.test('packets may come in any pieces of WebSocket messages', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice', 'bob')
  const socket = new WebSocket(relay.webSocketUrl, 'mqtt')
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  t.equal(socket.protocol, 'mqtt')
  const raw = await signIn(t, relay, { name: 'alice', password: alice }, { clientId: 'other' })
  const bytes = raw.bytesOf(connectPacket({ name: 'alice', password: alice }), {
    cmd: 'publish',
    topic: 'users/bob/inbox/alice/m1',
    payload: 'x',
    qos: 1,
    messageId: 9,
    dup: false,
    retain: false,
  })
  const answers: Buffer[] = []
  socket.on('message', (data: Buffer) => {
    answers.push(data)
    socket.emit('answer')
  })
  for (const byte of bytes) socket.send(Buffer.from([byte]))
  while (Buffer.concat(answers).length < 8) await once(socket, 'answer')
  t.same(Buffer.concat(answers), Buffer.from([0x20, 2, 0, 0, 0x40, 2, 0, 9]))
  socket.send(raw.bytesOf({ cmd: 'disconnect' }))
  await once(socket, 'close')
})

t.test('only /mqtt is a door', async (t) => {
  const relay = await startRelay(t)
  const socket = new WebSocket(relay.webSocketUrl.replace('/mqtt', '/other'), 'mqtt')
  const [error] = (await once(socket, 'error')) as [Error]
  t.match(error.message, /404/)
})

t.test('a text frame ends the connection, and nothing of it is taken [MQTT-6.0.0-1]', async (t) => {
  const relay = await startRelay(t)
  const socket = new WebSocket(relay.webSocketUrl, 'mqtt')
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  // A CONNECT, were it not for the frame that it comes in.
  socket.send('\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a')
  socket.on('message', () => t.fail('the relay answers'))
  await once(socket, 'close')
  t.ok(relay.lines.every(({ text }) => !text.includes('MQTT')))
})
