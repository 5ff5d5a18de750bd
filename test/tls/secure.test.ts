import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, createSecureContext } from 'node:tls'
import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { issue, makeAuthority } from '../../src/tls/authority.ts'
import { secure } from '../../src/tls/secure.ts'
import { ManualClock } from '../support/manual-clock.ts'

async function start(t: Test) {
  const authority = await makeAuthority({ random: randomBytes }, 'Test')
  const leaf = await issue({ random: randomBytes }, authority, { dns: [], ip: ['127.0.0.1'] })
  const context = createSecureContext({
    cert: leaf.certificate,
    key: leaf.key,
    minVersion: 'TLSv1.2',
  })
  const clock = new ManualClock()
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    secure({ clock, certificates: { context } }, socket, (secured) => {
      secured.on('data', (chunk: Buffer) => secured.write(chunk))
    })
    server.emit('taken')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const talk = (options: ConnectionOptions = {}) =>
    connectTls({ host: '127.0.0.1', port, ca: authority.certificate, ...options })
  return { clock, server, port, talk }
}

t.test('what is said comes through, and the client knows whom it talks to', async (t) => {
  const { talk, clock } = await start(t)
  const client = talk()
  await once(client, 'secureConnect')
  t.ok(client.authorized)
  client.write('hello')
  t.equal(String((await once(client, 'data'))[0]), 'hello')
  t.equal(clock.timers, 0)
  client.destroy()
})

t.test('TLS 1.1 is refused', async (t) => {
  const { talk } = await start(t)
  const client = talk({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await t.rejects(once(client, 'secureConnect'), { code: /SSL|ECONNRESET/ })
})

t.test('who does not shake hands is let go in time', async (t) => {
  const { clock, server, port } = await start(t)
  const silent = connect(port, '127.0.0.1')
  t.teardown(() => silent.destroy())
  await once(server, 'taken')
  clock.advance(LIMITS.connectMsMax - 1)
  t.equal(silent.closed, false)
  clock.advance(1)
  await once(silent, 'close')
  t.equal(clock.timers, 0)
})

t.test('who says something else is let go at once', async (t) => {
  const { clock, port } = await start(t)
  const wrong = connect(port, '127.0.0.1')
  wrong.on('error', () => undefined)
  wrong.write('GET / HTTP/1.1\r\n\r\n')
  wrong.resume()
  await once(wrong, 'close')
  t.equal(clock.timers, 0)
})
