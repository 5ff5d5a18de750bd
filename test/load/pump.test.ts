import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { FrameReader } from './frame-reader.ts'
import { LoadClient } from './load-client.ts'
import { opening, PublishPump, payloadPool } from './pump.ts'
import { SeededRandom } from './random.ts'

/** A broker that says yes to everything and notes topics, and how many were unanswered at once. */
async function yesBroker(t: Pick<Test, 'teardown'>) {
  const topics: string[] = []
  const openings: string[] = []
  const seen = { unansweredMax: 0 }
  const server = createServer((socket) => {
    let unanswered: Buffer[] = []
    const reader = new FrameReader((bytes, first, start) => {
      if (first >> 4 === 1) socket.write(Buffer.from([0x20, 2, 0, 0]))
      if (first >> 4 !== 3) return
      const topicEnd = start + 2 + bytes.readUInt16BE(start)
      topics.push(bytes.toString('utf8', start + 2, topicEnd))
      openings.push(bytes.toString('hex', topicEnd + 2, topicEnd + 10))
      unanswered.push(Buffer.from([0x40, 2, bytes[topicEnd] ?? 0, bytes[topicEnd + 1] ?? 0]))
    })
    socket.on('data', (chunk) => {
      reader.push(chunk)
      seen.unansweredMax = Math.max(seen.unansweredMax, unanswered.length)
      socket.write(Buffer.concat(unanswered))
      unanswered = []
    })
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { topics, openings, seen, port }
}

t.test('a pump keeps its window full and no more, and numbers its messages', async (t) => {
  const broker = await yesBroker(t)
  const random = new SeededRandom(1)
  const client: LoadClient = new LoadClient(
    { events: { acknowledged: (_id, reason) => pump.answered(reason) } },
    { host: '127.0.0.1', port: broker.port, version: 4, clientId: 'p', clean: true },
  )
  const pump: PublishPump = new PublishPump(
    { client, pool: payloadPool(random), random },
    { version: 4, topicPrefix: 'x/', idPrefix: 'm', payloadBytes: 20, window: 5, marker: 9 },
  )
  await client.connect()
  pump.start(23)
  await pump.finished()
  t.equal(pump.acknowledged, 23)
  t.equal(broker.topics.length, 23)
  t.equal(broker.topics[22], 'x/m000000022')
  t.equal(broker.seen.unansweredMax, 5)
  const expected = Buffer.alloc(8)
  const [low, high] = opening(9, 22)
  expected.writeUInt32LE(low)
  expected.writeUInt32LE(high, 4)
  t.equal(broker.openings[22], expected.toString('hex'))
  await client.disconnect()
})

t.test('a client that loses its connection tells whoever waits', async (t) => {
  const broker = await yesBroker(t)
  const client = new LoadClient(
    { events: {} },
    { host: '127.0.0.1', port: broker.port, version: 4, clientId: 'p', clean: true },
  )
  await client.connect()
  const answer = client.ping()
  client.drop()
  await t.rejects(answer)
  await client.closed()
})
