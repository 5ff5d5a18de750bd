/**
 * What a stranger sends before it has said who it is costs next to no memory, however much it is
 * and however it comes. The strangers here do not care that the relay has ended its side.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { encodeLength } from '../load/packets.ts'
import { PublishPump, payloadPool } from '../load/pump.ts'
import { SeededRandom } from '../load/random.ts'
import { type FloodRelay, MIB, mib, startFloodRelay } from './rig.ts'

const STRANGERS = 14
const GROWTH_BYTES_MAX = 20 * MIB
const BYTES_EACH = 100 * MIB
const CHUNK_BYTES = 256 * 1024
const DECLARED_BYTES = 200_000_000
const WARM_UP_MESSAGES = 20_000
const CONNECT = 0x10

/** A CONNECT of the longest that a stranger may send, as far as its protocol name. */
const LONGEST_BODY = LIMITS.connectBytesMax - 1 - encodeLength(LIMITS.connectBytesMax).length
const BEGUN = Buffer.concat([
  Buffer.from([CONNECT]),
  encodeLength(LONGEST_BODY),
  Buffer.from([0, 4]),
  Buffer.from('MQTT'),
])

const garbage = (socket: Socket) => sendAll(socket, Buffer.alloc(CHUNK_BYTES, 'x'))

async function declaredTooLong(socket: Socket): Promise<number> {
  socket.write(Buffer.concat([Buffer.from([CONNECT]), encodeLength(DECLARED_BYTES)]))
  return sendAll(socket, Buffer.alloc(CHUNK_BYTES))
}

/** Sends the same chunk until it has sent all it wanted to, or is cut. */
async function sendAll(socket: Socket, chunk: Buffer): Promise<number> {
  let sent = 0
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (; sent < BYTES_EACH && socket.writable; sent += chunk.length) {
    const hasRoom = socket.write(chunk)
    if (!hasRoom)
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed])
  }
  return sent
}

/** Sends a good beginning, and then a byte at a time all but the last one. */
async function drip(socket: Socket): Promise<number> {
  socket.write(BEGUN)
  let sent = BEGUN.length
  for (; sent < LIMITS.connectBytesMax - 1 && socket.writable; sent += 1) {
    socket.write('x')
    await setImmediate()
  }
  return sent
}

/** Opens a connection whose other side may end without ending it. */
async function open(t: Test, relay: FloodRelay): Promise<Socket> {
  const options = { host: '127.0.0.1', port: relay.mqttPort, allowHalfOpen: true, noDelay: true }
  const socket = connect(options)
  t.teardown(() => socket.destroy())
  // 'close' always follows.
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'connect')
  return socket
}

/** A user sends itself mail: all that is needed for work is in memory afterwards. */
async function warmUp(t: Test, relay: FloodRelay): Promise<void> {
  const user = await relay.addUser('alice')
  let pump: PublishPump | undefined
  const acknowledged = (_packetId: number, reason: number): void => pump?.answered(reason)
  const client = await relay.client(t, user, { clientId: 'phone', events: { acknowledged } })
  await client.subscribe('users/alice/inbox/#', 1)
  const random = new SeededRandom(1)
  pump = new PublishPump(
    { client, pool: payloadPool(random), random },
    {
      version: 4,
      topicPrefix: 'users/alice/inbox/alice/',
      idPrefix: 'm',
      payloadBytes: 200,
      window: 64,
      marker: 1,
    },
  )
  pump.start(WARM_UP_MESSAGES)
  await pump.finished()
  await client.disconnect()
}

const ATTACKS = {
  'garbage of 100 MB each': garbage,
  'a CONNECT of 200 MB each, half of it sent': declaredTooLong,
  'a CONNECT in pieces of one byte each, never whole': drip,
}

for (const [name, attack] of Object.entries(ATTACKS)) {
  t.test(`${STRANGERS} strangers cost little memory: ${name}`, async (t) => {
    const relay = await startFloodRelay(t)
    await warmUp(t, relay)
    const restBytes = await relay.residentBytes()
    await relay.forgetPeak()
    const strangers = Array.from({ length: STRANGERS }, () => open(t, relay))
    const sockets = await Promise.all(strangers)
    const sent = await Promise.all(sockets.map(attack))
    const grownBytes = (await relay.peakBytes()) - restBytes
    const sentBytes = sent.reduce((sum, bytes) => sum + bytes, 0)
    t.comment(`${mib(sentBytes)} sent; ${mib(restBytes)} at rest, ${mib(grownBytes)} more at most`)
    t.ok(grownBytes <= GROWTH_BYTES_MAX, `${mib(grownBytes)} more than at rest`)
  })
}
