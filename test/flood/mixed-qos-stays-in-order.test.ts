/** What one connection publishes in one go arrives in that order, whatever QoS each has. */
import mqttPacket from 'mqtt-packet'
import t, { type Test } from 'tap'
import type { Credential } from '../drill/broker.ts'
import { type FloodRelay, startFloodRelay } from './rig.ts'

const COUNT = 200
/** Each QoS follows each other one, and itself. */
const QOS = [0, 1, 2, 2, 1, 0, 0, 2, 1, 1] as const
const ROUNDS = 5

type Lane = {
  readonly sender: Credential
  readonly filter: string
  topicOf(number: number): string
}

function qosOf(number: number): 0 | 1 | 2 {
  return QOS[number % QOS.length] ?? 0
}

/** All publishes of a lane as they go out in one write. */
function publishes({ topicOf }: Lane, round: number): Buffer {
  const packets = Array.from({ length: COUNT }, (_, at) =>
    mqttPacket.generate({
      cmd: 'publish',
      topic: topicOf(round * COUNT + at),
      payload: `${at}`,
      qos: qosOf(at),
      messageId: at + 1,
      dup: false,
      retain: false,
    }),
  )
  return Buffer.concat(packets)
}

/** A reader that tells what has arrived, in order. */
async function reader(
  t: Test,
  relay: FloodRelay,
  user: Credential,
  filter: string,
  qos: 0 | 1 | 2,
) {
  const texts: string[] = []
  let enough = Promise.withResolvers<void>()
  const arrived = (bytes: Buffer, _at: number, _end: number, payloadAt: number, end: number) => {
    texts.push(bytes.toString('latin1', payloadAt, end))
    if (texts.length === COUNT) enough.resolve()
  }
  const client = await relay.client(t, user, { clientId: `reader-${qos}`, events: { arrived } })
  await client.subscribe(filter, qos)
  return {
    async next(): Promise<string[]> {
      await enough.promise
      enough = Promise.withResolvers()
      return texts.splice(0)
    },
  }
}

/** Those that came when one that was sent after them was there already. */
function overtaken(texts: readonly string[]): string[] {
  let newest = -1
  return texts.filter((text) => {
    const isLate = Number(text) < newest
    newest = Math.max(newest, Number(text))
    return isLate
  })
}

async function staysInOrder(t: Test, relay: FloodRelay, lane: Lane, user: Credential) {
  const readers = await Promise.all(
    ([0, 1, 2] as const).map((qos) => reader(t, relay, user, lane.filter, qos)),
  )
  let open = 0
  let finished = Promise.withResolvers<void>()
  const done = (): void => {
    open -= 1
    if (open === 0) finished.resolve()
  }
  const events = { acknowledged: done, completed: done }
  const sender = await relay.client(t, lane.sender, { clientId: 'sender', events })
  const numbers = Array.from({ length: COUNT }, (_, at) => at)
  for (let round = 0; round < ROUNDS; round += 1) {
    open = numbers.filter((at) => qosOf(at) > 0).length
    finished = Promise.withResolvers()
    sender.send(publishes(lane, round))
    for (const [qos, { next }] of readers.entries()) {
      const texts = await next()
      t.equal(new Set(texts).size, COUNT, `round ${round}, a reader with QoS ${qos} has all`)
      t.same(overtaken(texts), [], `round ${round}, a reader with QoS ${qos}: none was overtaken`)
    }
    await finished.promise
  }
}

t.test('ordinary topics', async (t) => {
  const relay = await startFloodRelay(t)
  const [user, lamp] = [await relay.addUser('bob'), await relay.addThing('lamp')]
  const topicOf = (number: number) => `things/lamp/${number % 3}`
  await staysInOrder(t, relay, { sender: lamp, filter: 'things/lamp/#', topicOf }, user)
})

t.test('mail', async (t) => {
  const relay = await startFloodRelay(t)
  const [user, alice] = [await relay.addUser('bob'), await relay.addUser('alice')]
  const topicOf = (number: number) => `users/bob/inbox/alice/m${number}`
  await staysInOrder(t, relay, { sender: alice, filter: 'users/bob/inbox/#', topicOf }, user)
})
