import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import t from 'tap'
import { WebSocket } from 'ws'
import { TcpListener, TlsListener, WebSocketGate } from '../../src/broker/listener.ts'
import { systemClock } from '../../src/clock.ts'
import { LIMITS } from '../../src/limits.ts'
import { KeptLog } from '../support/kept-log.ts'

const log = new KeptLog()

function handler() {
  const handled: { socket: Duplex; address: string }[] = []
  return {
    handled,
    handle(socket: Duplex, address: string) {
      handled.push({ socket, address })
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => socket.write(chunk))
      socket.on('end', () => socket.end())
    },
  }
}

t.test('TCP connections are handed over with their address', async (t) => {
  const target = handler()
  const listener = new TcpListener({ handler: target, log }, { host: '127.0.0.1', port: 0 })
  t.equal(listener.port, 0)
  await listener.stop()
  await listener.start()
  t.ok(listener.port > 0)
  const socket = connect(listener.port, '127.0.0.1')
  socket.end('hello')
  const [echo] = await once(socket, 'data')
  t.equal(String(echo), 'hello')
  t.equal(target.handled[0]?.address, '127.0.0.1')
  await listener.stop()
  await listener.stop()
})

t.test(
  'one address gets so many handshakes at once; the one that has waited longest goes',
  async (t) => {
    const parts = { clock: systemClock, certificates: { context: createSecureContext() } }
    const target = handler()
    const at = { host: '127.0.0.1', port: 0 }
    const listener = new TlsListener({ ...parts, handler: target, log }, at)
    await listener.start()
    const silent: Socket[] = []
    const begin = async () => {
      const socket = connect(listener.port, '127.0.0.1')
      silent.push(socket.resume())
      socket.on('error', () => undefined)
      await once(socket, 'connect')
    }
    while (silent.length < LIMITS.strangersPerAddressMax) await begin()
    t.equal(silent[0]?.closed, false)
    const firstClosed = once(silent[0] as Socket, 'close')
    await begin()
    await firstClosed
    t.equal(silent.filter(({ closed }) => closed).length, 1)
    t.same(target.handled, [])
    silent.at(-1)?.end()
    await once(silent.at(-1) as Socket, 'close')
    await listener.stop()
    const open = silent.filter(({ closed }) => !closed)
    await Promise.all(open.map((socket) => once(socket, 'close')))
  },
)

t.test('a port that is taken fails the start', async (t) => {
  const one = new TcpListener({ handler: handler(), log }, { host: '127.0.0.1', port: 0 })
  await one.start()
  t.teardown(() => one.stop())
  const at = { host: '127.0.0.1', port: one.port }
  const other = new TcpListener({ handler: handler(), log }, at)
  await t.rejects(other.start(), { code: 'EADDRINUSE' })
})

t.test('WebSocket connections are streams of bytes, with an end and a bound', async (t) => {
  const target = handler()
  const gate = new WebSocketGate({ handler: target })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => gate.upgrade(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`
  const client = new WebSocket(url, ['other', 'mqtt'])
  await once(client, 'open')
  t.equal(client.protocol, 'mqtt')
  t.equal(client.extensions, '', 'nothing is compressed')
  client.send(Buffer.from('hello'))
  const [echo] = await once(client, 'message')
  t.equal(String(echo), 'hello')
  t.equal(target.handled[0]?.address, '127.0.0.1')
  client.send(Buffer.alloc(LIMITS.packetBytesMax + 1))
  const [code] = await once(client, 'close')
  t.equal(code, 1009)
})
