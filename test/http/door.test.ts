import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { createSecureContext } from 'node:tls'
import t, { type Test } from 'tap'
import { openDoor } from '../../src/http/door.ts'
import { LIMITS } from '../../src/limits.ts'
import { issue, makeAuthority } from '../../src/tls/authority.ts'
import { ManualClock } from '../support/manual-clock.ts'

async function start(t: Test) {
  const authority = await makeAuthority({ random: randomBytes }, 'Test')
  const leaf = await issue({ random: randomBytes }, authority, { dns: [], ip: ['127.0.0.1'] })
  const context = createSecureContext({ cert: leaf.certificate, key: leaf.key })
  const clock = new ManualClock()
  const server = createServer((asked, answer) => {
    answer.end(`${Reflect.get(asked.socket, 'encrypted') === true} ${asked.url}`)
  })
  openDoor(server, { clock, certificates: { context } })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { clock, server, ca: authority.certificate, port: (server.address() as AddressInfo).port }
}

t.test('one port speaks HTTP and HTTPS', async (t) => {
  const { ca, port, clock } = await start(t)
  const plain = await fetch(`http://127.0.0.1:${port}/a`)
  t.equal(await plain.text(), 'false /a')
  const asked = request({ host: '127.0.0.1', port, path: '/b', ca })
  asked.end()
  const [answer] = await once(asked, 'response')
  t.equal(String((await once(answer, 'data'))[0]), 'true /b')
  t.equal(clock.timers, 0)
})

t.test('a request in many pieces arrives whole', async (t) => {
  const { port } = await start(t)
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  for (const byte of 'GET /pieces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n') {
    socket.write(byte)
    await new Promise(setImmediate)
  }
  let text = ''
  for await (const chunk of socket) text += chunk
  t.match(text, /false \/pieces/)
})

t.test('who says nothing is let go in time', async (t) => {
  const { clock, server, port } = await start(t)
  const silent = connect(port, '127.0.0.1')
  await once(server, 'connection')
  clock.advance(LIMITS.httpRequestMsMax - 1)
  t.equal(silent.closed, false)
  clock.advance(1)
  await once(silent, 'close')
  t.equal(clock.timers, 0)
})

t.test('who ends without a word leaves nothing behind', async (t) => {
  const { clock, port } = await start(t)
  const socket = connect(port, '127.0.0.1')
  socket.end()
  socket.resume()
  await once(socket, 'close')
  t.equal(clock.timers, 0)
})
