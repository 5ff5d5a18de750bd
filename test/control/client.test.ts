import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import { socketPlace } from '../../src/control/place.ts'
import { stillClock } from './rig.ts'

/** A relay that does with each connection what `serve` says. */
async function relay(t: Test, serve: (socket: Socket) => void) {
  const dataDir = t.testdir()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    serve(socket)
  })
  const place = await socketPlace(dataDir)
  server.listen(place.path)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close(() => void place.close())
  })
  return dataDir
}

const REQUEST = { op: 'status', input: {} }

t.test('where no relay runs, none is reached', async (t) => {
  const empty = t.testdir()
  const file = t.testdir({ 'control.sock': 'no socket' })
  for (const dataDir of [empty, file, '/nowhere', `/${'d'.repeat(200)}`, `/${'d'.repeat(300)}`]) {
    await t.rejects(reachRelay(dataDir), { code: 'RELAY_UNREACHABLE' }, dataDir)
  }
})

t.test(
  'the socket of another user is refused as such',
  { skip: process.getuid?.() === 0 },
  async (t) => {
    const dataDir = await relay(t, () => undefined)
    await chmod(join(dataDir, 'control.sock'), 0)
    await t.rejects(reachRelay(dataDir), { code: 'NOT_AUTHORIZED' })
  },
)

t.test('one line is sent, and the result returned', async (t) => {
  let sent = ''
  const dataDir = await relay(t, (socket) => {
    socket.once('data', (chunk) => {
      sent = String(chunk)
      socket.end('{"ok":true,"result":[1]}\n')
    })
  })
  const { clock, timers } = stillClock()
  t.same(await askRelay(await reachRelay(dataDir), REQUEST, clock), [1])
  t.equal(sent, '{"op":"status","input":{}}\n')
  t.equal(timers.size, 0, 'nothing waits any longer')
})

t.test('a refusal is thrown with its code, an unknown code as a protocol error', async (t) => {
  for (const [code, thrown] of [
    ['NOT_FOUND', 'NOT_FOUND'],
    ['NEW_CODE', 'PROTOCOL_ERROR'],
    ['toString', 'PROTOCOL_ERROR'],
  ]) {
    const answer = JSON.stringify({ ok: false, error: { code, message: 'no' } })
    const dataDir = await relay(t, (socket) => socket.end(`${answer}\n`))
    const { clock } = stillClock()
    await t.rejects(askRelay(await reachRelay(dataDir), REQUEST, clock), { code: thrown })
  }
})

t.test('a relay that breaks off, or never answers, is unreachable', async (t) => {
  const broken = await relay(t, (socket) => socket.destroy())
  const { clock, tick } = stillClock()
  const unreachable = { code: 'RELAY_UNREACHABLE' }
  await t.rejects(askRelay(await reachRelay(broken), REQUEST, clock), unreachable)
  const silent = await relay(t, () => undefined)
  const asked = askRelay(await reachRelay(silent), REQUEST, clock)
  tick()
  await t.rejects(asked, unreachable)
})

t.test('an answer that is no JSON is a protocol error', async (t) => {
  const dataDir = await relay(t, (socket) => socket.end('hello\n'))
  const { clock } = stillClock()
  const socket = await reachRelay(dataDir)
  await t.rejects(askRelay(socket, REQUEST, clock), { code: 'PROTOCOL_ERROR' })
})
