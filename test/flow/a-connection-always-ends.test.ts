import t from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open, signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

t.test('a client that never closes its side does not keep the relay from stopping', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const user = { name: 'alice', password: alice }
  const left = await signIn(t, relay, user, { allowHalfOpen: true, clientId: 'left' })
  left.send({ cmd: 'disconnect' })
  await left.ended()
  left.socket.write(Buffer.alloc(1_000))
  const staying = await signIn(t, relay, user, { allowHalfOpen: true, clientId: 'staying' })
  await relay.stop()
  await staying.ended()
  t.pass('stopped')
})

t.test('a refused client reads why before it is cut', async (t) => {
  const relay = await startRelay(t)
  await relay.addUsers('alice')
  const wrong = { name: 'alice', password: 'wrong' }
  for (const [version, connack] of [
    [4, [0x20, 2, 0, 4]],
    [5, [0x20, 3, 0, 0x86, 0]],
  ] as const) {
    const client = await open(t, relay, { version })
    client.send(connectPacket(wrong, { version }), { cmd: 'pingreq' }, { cmd: 'pingreq' })
    t.same(await client.next(2), Buffer.from(connack))
    await client.ended()
  }
})

t.test('MQTT 5 is told why it is disconnected', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const user = { name: 'alice', password: alice }
  const client = await signIn(t, relay, user, { version: 5 })
  await signIn(t, relay, user, { version: 5 })
  t.same(await client.next(14), Buffer.from([0xe0, 1, 0x8e]), 'session taken over')
  const odd = await signIn(t, relay, user, { version: 5, clientId: 'odd' })
  odd.socket.write(Buffer.from([0x36, 2, 0, 0]))
  t.equal((await odd.next(14))[2], 0x81, 'malformed packet')
})

t.test('whoever begins with anything but CONNECT is cut', async (t) => {
  const relay = await startRelay(t)
  for (const bytes of [
    Buffer.from([0xc0, 0]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01]),
    Buffer.from([0x10, 0]),
  ]) {
    const client = await open(t, relay)
    client.socket.write(bytes)
    await client.ended()
    t.same(client.frames, [])
  }
})

t.test('packets that no client may send end the connection, not the relay', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const user = { name: 'alice', password: alice }
  for (const version of [4, 5] as const) {
    for (let type = 0; type < 16; type += 1) {
      for (const body of [
        [],
        [0],
        [0, 0],
        [0, 1, 0xff],
        [0, 1, 0, 1, 0x23, 0],
        [0, 1, 9, 9, 9, 9],
      ]) {
        const client = await open(t, relay, { version })
        client.send(connectPacket(user, { version }))
        await client.next(2)
        for (const flags of [0, 2]) {
          client.socket.write(Buffer.from([(type << 4) | flags, body.length, ...body]))
        }
        client.socket.end()
        await client.ended()
      }
    }
  }
  const alive = await connect(t, relay, user)
  t.ok(alive.mqtt.connected)
  t.notOk(relay.lines.some(({ level }) => level === 'error'))
})
