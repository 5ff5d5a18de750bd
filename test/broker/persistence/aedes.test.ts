/** aedes with this persistence: what a client sees of it. */
import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { Aedes, type Client as AedesClient } from 'aedes'
import mqtt, { type IConnectPacket, type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { Rig } from './rig.ts'

/** A client that keeps what it gets, and acknowledges QoS 1. */
class Client {
  readonly got: Packet[] = []
  readonly #stream
  #wake: () => void = () => undefined

  constructor(broker: Aedes, connect: Partial<IConnectPacket> & { clientId: string }) {
    const [ours, theirs] = duplexPair()
    this.#stream = ours
    const parser = mqtt.parser()
    parser.on('packet', (packet) => this.#take(packet))
    ours.on('data', (bytes) => parser.parse(bytes))
    ours.on('error', () => undefined)
    broker.handle(theirs as never)
    this.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: false, ...connect })
  }

  send(...packets: Packet[]): void {
    this.#stream.write(Buffer.concat(packets.map((packet) => mqtt.generate(packet))))
  }

  /** The first packets, as many as asked for, once they are here. */
  async packets(count: number): Promise<Packet[]> {
    while (this.got.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.got.slice(0, count)
  }

  async subscribe(...topics: [string, 0 | 1 | 2][]): Promise<void> {
    const subscriptions = topics.map(([topic, qos]) => ({ topic, qos }))
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    while (!this.got.some(({ cmd }) => cmd === 'suback')) await this.packets(this.got.length + 1)
  }

  /** Payloads of what was published to it. */
  get payloads(): string[] {
    return this.got.flatMap((packet) => (packet.cmd === 'publish' ? [String(packet.payload)] : []))
  }

  async end(broker: Aedes): Promise<void> {
    this.#stream.destroy()
    await once(broker, 'clientDisconnect')
  }

  #take(packet: Packet): void {
    this.got.push(packet)
    if (packet.cmd === 'publish' && packet.qos === 1) {
      this.send({ cmd: 'puback', messageId: packet.messageId ?? 0 })
    }
    this.#wake()
  }
}

async function fresh(t: Test) {
  const rig = await Rig.open(t)
  let broker = await started(rig)
  t.teardown(() => stopped(broker, rig))
  return {
    rig,
    broker: () => broker,
    restart: async () => {
      await stopped(broker, rig)
      await rig.restart()
      broker = await started(rig)
    },
  }
}

async function stopped(broker: Aedes, { persistence }: Rig): Promise<void> {
  await new Promise<void>((resolve) => broker.close(resolve))
  await persistence.destroy()
}

async function started(rig: Rig): Promise<Aedes> {
  return await Aedes.createBroker({
    id: 'relay',
    heartbeatInterval: 5,
    persistence: rig.persistence,
  })
}

const publish = (
  topic: string,
  payload: string,
  qos: 0 | 1 | 2,
  messageId = 1,
  retain = false,
): Packet => ({
  cmd: 'publish',
  topic,
  payload,
  qos,
  messageId,
  retain,
  dup: false,
})

for (const clean of [true, false]) {
  t.test(
    `what waits for a commit is not dropped when later messages overtake it: clean ${clean}`,
    async (t) => {
      const { broker } = await fresh(t)
      const away = new Client(broker(), { clientId: 'away' })
      await away.subscribe(['slow/#', 1])
      const reader = new Client(broker(), { clientId: 'reader', clean })
      await reader.subscribe(['slow/#', 1], ['fast/#', 1])
      const sender = new Client(broker(), { clientId: 'sender', clean: true })
      await sender.packets(1)
      for (let i = 0; i < 50; i += 1) {
        sender.send(
          publish('slow/a', `slow ${i}`, 1, 1 + i),
          publish('fast/a', `fast ${i}`, 0),
          publish('fast/b', `kept ${i}`, 0, 1, true),
          publish('slow/b', `both ${i}`, 1, 101 + i, true),
        )
      }
      await reader.packets(2 + 200)
      t.equal(new Set(reader.payloads).size, 200)
      const slow = reader.payloads.filter((payload) => payload.startsWith('slow'))
      const inOrder = Array.from({ length: 50 }, (_, i) => `slow ${i}`)
      t.same(slow, inOrder)
    },
  )
}

t.test('a client that comes back gets CONNACK first, although it has a will', async (t) => {
  const { broker } = await fresh(t)
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false }
  const first = new Client(broker(), { clientId: 'bob', will })
  await first.subscribe(['a', 0])
  await first.end(broker())
  const live = publish('a', 'live', 0)
  let isOn = true
  const pump = () => {
    broker().publish(live as never, () => undefined)
    if (isOn) setImmediate(pump)
  }
  pump()
  const again = new Client(broker(), { clientId: 'bob', will })
  const [connack] = await again.packets(5)
  isOn = false
  t.match(connack, { cmd: 'connack', sessionPresent: true })
})

t.test('messages for an absent client come in order when it is back after a restart', async (t) => {
  const { broker, restart } = await fresh(t)
  const bob = new Client(broker(), { clientId: 'bob' })
  await bob.subscribe(['a/#', 1], ['a/b', 1])
  await bob.end(broker())
  for (const run of [1, 2, 3]) {
    const sender = new Client(broker(), { clientId: 'sender', clean: true })
    await sender.packets(1)
    for (const i of [1, 2, 3]) sender.send(publish('a/b', `${run} ${i}`, 1, i))
    await sender.packets(4)
    await once(broker(), 'publish')
    await restart()
  }
  const back = new Client(broker(), { clientId: 'bob' })
  await back.packets(10)
  t.same(back.payloads, ['1 1', '1 2', '1 3', '2 1', '2 2', '2 3', '3 1', '3 2', '3 3'])
})

t.test(
  'overlapping subscriptions bring a message once and leave nothing in the queue',
  async (t) => {
    const { rig, broker } = await fresh(t)
    const bob = new Client(broker(), { clientId: 'bob' })
    await bob.subscribe(['a/#', 1], ['a/b', 1], ['a/+', 1])
    const sender = new Client(broker(), { clientId: 'sender', clean: true })
    const acknowledged = once(broker(), 'ack')
    sender.send(publish('a/b', 'once', 1))
    await acknowledged
    t.same(bob.payloads, ['once'])
    t.equal(rig.persistence.stats.queued, 0)
  },
)

t.test('a clean start drops what the session before had left', async (t) => {
  const { rig, broker } = await fresh(t)
  const bob = new Client(broker(), { clientId: 'bob' })
  await bob.subscribe(['a', 1])
  await bob.end(broker())
  const sender = new Client(broker(), { clientId: 'sender', clean: true })
  sender.send(publish('a', 'old', 1))
  await sender.packets(2)
  await once(broker(), 'publish')
  const again = new Client(broker(), { clientId: 'bob', clean: true })
  await again.packets(1)
  await again.subscribe(['b', 0])
  t.match(rig.persistence.stats, { queued: 0, sessions: 0 })
  t.same(again.payloads, [])
})

t.test('a QoS 2 publish for two absent sessions takes one commit', async (t) => {
  const { rig, broker } = await fresh(t)
  for (const clientId of ['bob', 'eve']) {
    const client = new Client(broker(), { clientId })
    await client.subscribe(['a', 2])
    await client.end(broker())
  }
  const sender = new Client(broker(), { clientId: 'sender' })
  await sender.packets(1)
  await rig.store.committed()
  const { commits } = rig.store.stats
  sender.send(publish('a', '1', 2, 7, true))
  await sender.packets(2)
  t.equal(rig.store.stats.commits, commits + 1)
  t.match(rig.persistence.stats, { retained: 1, queued: 2, incoming: 1 })
})

t.test('a QoS 2 publish that comes twice is published once', async (t) => {
  const { rig, broker } = await fresh(t)
  const sender = new Client(broker(), { clientId: 'sender' })
  const published: string[] = []
  broker().on('publish', (packet, client: AedesClient | null) => {
    if (client !== null) published.push(packet.topic)
  })
  sender.send(publish('a', '1', 2, 7))
  await sender.packets(2)
  sender.send({ ...publish('a', '1', 2, 7), dup: true } as Packet)
  await sender.packets(3)
  sender.send({ cmd: 'pubrel', messageId: 7 })
  await sender.packets(4)
  t.same(
    sender.got.map(({ cmd }) => cmd),
    ['connack', 'pubrec', 'pubrec', 'pubcomp'],
  )
  t.same(published, ['a'])
  t.equal(rig.persistence.stats.incoming, 0)
})

t.test(
  'the will of a client that went down with the relay is published after the restart',
  async (t) => {
    const { rig, broker, restart } = await fresh(t)
    const will = { topic: 'w/bob', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const watcher = new Client(broker(), { clientId: 'watcher' })
    await watcher.subscribe(['w/#', 1])
    await rig.persistence.putWill({ id: 'bob' }, will)
    await restart()
    const back = new Client(broker(), { clientId: 'watcher' })
    await back.packets(2)
    t.same(back.payloads, ['gone'])
    while (rig.persistence.stats.wills > 0) await new Promise(setImmediate)
  },
)
