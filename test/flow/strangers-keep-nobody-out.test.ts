import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { connect } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const COUNT = 1_000
const GOOD_MS_MAX = 1_000

t.test('a thousand connections that say nothing do not keep a client out', async (t) => {
  const relay = await startRelay(t)
  const { alice } = await relay.addUsers('alice')
  const user = { name: 'alice', password: alice }
  const early = await connect(t, relay, user)
  let open = 0
  const closed = Promise.withResolvers<void>()
  const sockets = Array.from({ length: COUNT }, () => {
    const socket = connectSocket({ host: '127.0.0.1', port: relay.mqttPort })
    socket.on('error', () => undefined)
    socket.resume()
    socket.on('connect', () => {
      open += 1
    })
    socket.on('close', () => {
      open -= 1
      if (open <= LIMITS.strangersPerAddressMax) closed.resolve()
    })
    return socket
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const startedMs = performance.now()
  const late = await connect(t, relay, user)
  t.ok(performance.now() - startedMs < GOOD_MS_MAX, `${performance.now() - startedMs} ms`)
  await closed.promise
  await Promise.all([early.settled(), late.settled()])
  t.pass('those who had signed in stay')
})
