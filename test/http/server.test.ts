import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { Figures } from '../../src/http/metrics.ts'
import { type HttpParts, HttpServer, routes } from '../../src/http/server.ts'
import { KeptLog } from '../support/kept-log.ts'

const FIGURES: Figures = {
  version: '0.1.0',
  clients: 2,
  messages: { accepted: 9, delivered: 4, queued: 3, expired: 2, refused: 1 },
  commits: 5,
  committedBytes: 600,
  withdrawn: 3,
  fsyncMs: 1.5,
  diskUsedBytes: 7_000,
  uptimeMs: 2_500,
}

const NO_TLS = { clock: systemClock, certificates: { context: createSecureContext() } }

function parts(reasons: string[] = []): HttpParts & { upgraded: string[] } {
  const upgraded: string[] = []
  return {
    upgraded,
    upgrade: (request, socket: Duplex) => {
      upgraded.push(request.url ?? '')
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    },
    reasonsNotReady: () => reasons,
    figures: async () => FIGURES,
  }
}

t.test('health, readiness and metrics answer', async (t) => {
  const app = routes(parts())
  const health = await app.request('/healthz')
  t.same([health.status, await health.json()], [200, { status: 'ok' }])
  const ready = await app.request('/readyz')
  t.same([ready.status, await ready.json()], [200, { isReady: true, reasons: [] }])
  const metrics = await app.request('/metrics')
  t.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  t.match(await metrics.text(), /waypost_mqtt_clients 2/)
})

t.test('a relay that should get no work says why', async (t) => {
  const answer = await routes(parts(['the disk is full'])).request('/readyz')
  t.equal(answer.status, 503)
  t.match(await answer.json(), { isReady: false, reasons: ['the disk is full'] })
})

t.test('what is not there is a problem document', async (t) => {
  const answer = await routes(parts()).request('/__proto__')
  t.equal(answer.status, 404)
  t.equal(answer.headers.get('content-type'), 'application/problem+json')
  t.match(await answer.json(), { type: 'about:blank', status: 404, title: 'Not Found' })
})

async function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

t.test('only /mqtt is upgraded, with or without a query', async (t) => {
  const made = parts()
  const server = new HttpServer(
    { ...made, ...NO_TLS, log: new KeptLog() },
    { host: '127.0.0.1', port: 0 },
  )
  await server.stop()
  await server.start()
  t.teardown(() => server.stop())
  const upgrade = (path: string) =>
    answerTo(
      server.port,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    )
  t.match(await upgrade('/mqtt'), /^HTTP\/1\.1 101/)
  t.match(await upgrade('/mqtt?x=1'), /^HTTP\/1\.1 101/)
  t.match(await upgrade('/mqtt/'), /^HTTP\/1\.1 404/)
  t.match(await upgrade('/'), /^HTTP\/1\.1 404/)
  t.same(made.upgraded, ['/mqtt', '/mqtt?x=1'])
})

t.test('a client that stays does not keep the server from stopping', async (t) => {
  const server = new HttpServer(
    { ...parts(), ...NO_TLS, log: new KeptLog() },
    { host: '127.0.0.1', port: 0 },
  )
  await server.start()
  const idle = connect(server.port, '127.0.0.1')
  t.teardown(() => idle.destroy())
  await once(idle, 'connect')
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`)
  t.equal(response.status, 200)
  await response.text()
  await server.stop()
  await server.stop()
  t.pass('stopped')
})
