import { EventEmitter } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import type { Client } from 'aedes'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import type { AedesPort } from '../../src/broker/aedes-port.ts'
import { Connection } from '../../src/broker/connection.ts'
import type { ConnectionOwner } from '../../src/broker/connection-owner.ts'
import { Flusher } from '../../src/broker/outbox.ts'
import type { Publish } from '../../src/broker/publish.ts'
import type { Subscribe, Unsubscribe } from '../../src/broker/subscribe.ts'
import { Traffic } from '../../src/broker/traffic.ts'
import { LIMITS } from '../../src/limits.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'

const CONNECT = mqttPacket.generate({
  cmd: 'connect',
  clientId: 'phone',
  clean: true,
  keepalive: 0,
})
const CONNACK = Buffer.from([0x20, 2, 0, 0])

/** Everything around a connection, played by the test. */
class Scene implements ConnectionOwner {
  readonly clock = new ManualClock()
  readonly client: Duplex
  /** The relay's end. */
  readonly socket: Duplex
  readonly published: Publish[] = []
  isResumed = false
  /** What the client has asked for and waits for. */
  readonly asked: { filters: readonly string[]; answer: () => void }[] = []
  readonly finishing: (() => void)[] = []
  readonly events: string[] = []
  readonly connection: Connection
  port: AedesPort | undefined

  constructor() {
    const [near, far] = duplexPair()
    this.client = far
    this.socket = near
    const parts = { owner: this, socket: near, flusher: new Flusher(), traffic: new Traffic() }
    const { clock } = this
    this.connection = new Connection(
      { ...parts, clock, log: new KeptLog() },
      { address: '127.0.0.1' },
    )
    this.connection.start()
  }

  attach(port: AedesPort): Client {
    this.port = port
    return Object.assign(new EventEmitter(), { subscriptions: {} }) as unknown as Client
  }

  publish(_connection: Connection, publish: Publish): void {
    this.published.push(publish)
  }

  subscribe(_connection: Connection, { requests }: Subscribe): Promise<void> {
    const filters = requests.map(({ filter }) => filter)
    return new Promise((answer) => this.asked.push({ filters, answer }))
  }

  unsubscribe(_connection: Connection, { filters }: Unsubscribe): Promise<void> {
    return new Promise((answer) => this.asked.push({ filters, answer }))
  }

  finished(_connection: Connection, _packetId: number, done: () => void): void {
    this.finishing.push(done)
  }

  hasSession(): boolean {
    return this.isResumed
  }

  connected(): void {
    this.events.push('connected')
  }

  closed(): void {
    this.events.push('closed')
  }

  async send(...packets: (Packet | Buffer)[]): Promise<void> {
    const bytes = packets.map((packet) =>
      Buffer.isBuffer(packet) ? packet : mqttPacket.generate(packet),
    )
    this.client.write(Buffer.concat(bytes))
    await turns()
  }

  /** What aedes was given since the last look. */
  given(): Buffer {
    return (this.port?.read() as Buffer | null) ?? Buffer.alloc(0)
  }

  /** What the client was sent since the last look. */
  async got(): Promise<Buffer> {
    await turns()
    return (this.client.read() as Buffer | null) ?? Buffer.alloc(0)
  }

  async accept(): Promise<void> {
    await this.send(CONNECT)
    this.given()
    this.port?.write(CONNACK)
    this.connection.accepted()
    await this.got()
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function publish(messageId: number, qos: 1 | 2 = 1): Packet {
  return { cmd: 'publish', topic: 'a', payload: 'x', qos, messageId, dup: false, retain: false }
}

t.test('nothing but CONNECT takes effect before CONNACK', async (t) => {
  const scene = new Scene()
  scene.isResumed = true
  await scene.send(CONNECT, publish(1), { cmd: 'pingreq' })
  t.same(scene.given(), CONNECT)
  t.same(scene.published, [])
  scene.port?.write(Buffer.from([0x30, 3, 0, 1, 97]))
  t.same(await scene.got(), Buffer.alloc(0), 'what overtakes CONNACK waits for it')
  scene.port?.write(CONNACK)
  scene.connection.accepted()
  const welcome = Buffer.from([0x20, 2, 1, 0])
  t.same(await scene.got(), Buffer.concat([welcome, Buffer.from([0x30, 3, 0, 1, 97])]))
  t.match(scene.published, [{ topic: 'a', packetId: 1 }])
  t.same(scene.given(), Buffer.from([0xc0, 0]))
  t.ok(scene.connection.isConnected && scene.connection.isResumed)
})

t.test('a refusal of aedes goes out as it is', async (t) => {
  const scene = new Scene()
  scene.isResumed = true
  await scene.send(CONNECT)
  scene.port?.write(Buffer.from([0x20, 2, 0, 5]))
  t.same(await scene.got(), Buffer.from([0x20, 2, 0, 5]))
})

t.test('what follows a SUBSCRIBE waits until it has taken effect', async (t) => {
  const scene = new Scene()
  await scene.accept()
  const subscriptions = [{ topic: 'a', qos: 1 as const }]
  await scene.send(
    { cmd: 'subscribe', messageId: 1, subscriptions },
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['b'] },
    publish(3),
  )
  t.match(scene.asked, [{ filters: ['a'] }])
  t.equal(scene.asked.length, 1)
  scene.asked[0]?.answer()
  await turns()
  t.match(scene.asked, [{ filters: ['a'] }, { filters: ['b'] }])
  t.same(scene.published, [])
  scene.asked[1]?.answer()
  await turns()
  t.match(scene.published, [{ packetId: 3 }])
})

t.test('a client with as many publishes under way as it may is not read', async (t) => {
  const scene = new Scene()
  await scene.accept()
  const max = LIMITS.receiveMax
  await scene.send(...Array.from({ length: max + 1 }, (_, at) => publish(at + 1)))
  // The test decides them, as the post office would.
  t.equal(scene.published.length, max + 1, 'nothing was expected yet')
  const { acknowledgements } = scene.connection
  const first = acknowledgements.expect(1)
  for (let id = 2; id <= max; id += 1) acknowledgements.expect(id)
  await scene.send(publish(1_000))
  t.equal(scene.published.length, max + 1)
  acknowledgements.decide(first, Buffer.from([0x40, 2, 0, 1]))
  await turns()
  t.equal(scene.published.length, max + 2)
})

t.test('nor is one that has given aedes enough to do', async (t) => {
  const scene = new Scene()
  await scene.accept()
  await scene.send(...Array.from({ length: LIMITS.aedesBytesHigh }, () => Buffer.from([0xc0, 0])))
  const given = scene.given().length
  t.ok(given >= LIMITS.aedesBytesHigh && given < LIMITS.aedesBytesHigh + 2)
  await turns()
  t.equal(given + scene.given().length, 2 * LIMITS.aedesBytesHigh, 'the rest follows')
})

t.test('PUBREL is answered when what it releases is forgotten on disk', async (t) => {
  const scene = new Scene()
  await scene.accept()
  scene.connection.unreleased.add(5)
  await scene.send({ cmd: 'pubrel', messageId: 5 }, { cmd: 'pubrel', messageId: 6 })
  t.same(await scene.got(), Buffer.alloc(0))
  for (const done of scene.finishing) done()
  t.same(await scene.got(), Buffer.from([0x70, 2, 0, 5, 0x70, 2, 0, 6]))
})

t.test('what a client said before its end still counts', async (t) => {
  const scene = new Scene()
  await scene.accept()
  scene.client.end(mqttPacket.generate(publish(1)))
  await turns()
  t.equal(scene.published.length, 1)
  scene.port?.resume()
  await turns()
  scene.clock.advance(LIMITS.lingerMs)
  t.same(scene.events, ['connected', 'closed'], 'cut where aedes does not end it')
})

t.test('a client that does not close its side is cut', async (t) => {
  const scene = new Scene()
  await scene.accept()
  scene.connection.disconnect(0x98)
  scene.connection.disconnect(0x98)
  t.same(scene.events, ['connected', 'closed'], 'once')
  await scene.send(Buffer.alloc(100))
  t.notOk(scene.client.destroyed)
  scene.clock.advance(LIMITS.lingerMs)
  await turns()
  t.ok(scene.client.readableEnded || scene.client.destroyed || scene.client.read() === null)
  t.ok(scene.connection.isClosed)
})

t.test('what comes after the end is dropped, up to the bound', async (t) => {
  const scene = new Scene()
  await scene.accept()
  scene.connection.disconnect(0x98)
  await scene.send(Buffer.alloc(LIMITS.lingerBytesMax))
  t.notOk(scene.socket.destroyed)
  await scene.send(Buffer.alloc(1))
  t.ok(scene.socket.destroyed, 'one byte more cuts it')
})

t.test('a malformed packet ends the connection', async (t) => {
  for (const bytes of [
    [0x36, 2, 0, 0],
    [0x82, 2, 0, 0],
    [0x30, 0xff, 0xff, 0xff, 0xff],
  ]) {
    const scene = new Scene()
    await scene.accept()
    await scene.send(Buffer.from(bytes))
    t.ok(scene.connection.isClosed)
  }
})

t.test('a client that takes none of what waits for it is let go', async (t) => {
  const scene = new Scene()
  await scene.accept()
  const large = Buffer.alloc(262_144)
  const { outbox } = scene.connection
  while (!scene.connection.isClosed) scene.connection.write(large)
  t.ok(outbox.waiting > LIMITS.outboxBytesMax)
  t.ok(outbox.waiting <= LIMITS.outboxBytesMax + large.length)
})

t.test('no packet is longer than its client takes [MQTT-3.1.2-24]', async (t) => {
  const small = (maximumPacketSize: number) =>
    mqttPacket.generate({
      cmd: 'connect',
      protocolVersion: 5,
      clientId: 'phone',
      clean: true,
      properties: { maximumPacketSize },
    })
  const scene = new Scene()
  await scene.send(small(30))
  scene.port?.write(Buffer.from([0x20, 3, 0, 0, 0]))
  t.ok((await scene.got()).length > 0)
  scene.connection.accepted()
  scene.connection.write(Buffer.alloc(30))
  t.notOk(scene.connection.isClosed)
  await scene.got()
  scene.connection.write(Buffer.alloc(31))
  t.ok(scene.connection.isClosed)
  t.same(await scene.got(), Buffer.from([0xe0, 1, 0x95]), 'but is told why it has to go')
  const smaller = new Scene()
  await smaller.send(small(5))
  smaller.port?.write(Buffer.from([0x20, 3, 0, 0, 0]))
  t.same(await smaller.got(), Buffer.alloc(0), 'not even CONNACK')
  t.ok(smaller.connection.isClosed)
})
