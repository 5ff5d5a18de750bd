import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { Aedes, type AedesPublishPacket, type Client } from 'aedes'
import mqttPacket from 'mqtt-packet'
import t, { type Test } from 'tap'
import {
  AEDES_VERSION,
  endsWithConnection,
  isRegistered,
  keepAlive,
  mendBroker,
  mendClient,
  mendForward,
  mendResumption,
  renameClient,
  subscriptionsOf,
} from '../../src/broker/aedes-mends.ts'
import type { Connect } from '../../src/broker/connect.ts'
import { OTHER_ID_MAX } from '../../src/delivery/packet-id.ts'

async function broker(t: Test): Promise<Aedes> {
  const aedes = new Aedes({ concurrency: 0 })
  mendBroker(aedes)
  await aedes.listen()
  t.teardown(() => new Promise<void>((resolve) => aedes.close(resolve)))
  return aedes
}

/** A client that has sent its CONNECT. */
function begin(aedes: Aedes, clientId: string, keepalive = 0, isTaken = (_: number) => false) {
  const [near, far] = duplexPair()
  const client = aedes.handle(near)
  mendClient(client, isTaken)
  far.resume()
  far.write(mqttPacket.generate({ cmd: 'connect', clientId, clean: true, keepalive }))
  return { client, far }
}

async function connected(aedes: Aedes, clientId: string, keepalive = 0) {
  const begun = begin(aedes, clientId, keepalive)
  await once(aedes, 'clientReady')
  return begun
}

t.test('the version is the one that is installed', async (t) => {
  t.equal(Reflect.get(await broker(t), 'version'), AEDES_VERSION)
})

t.test('names that objects have are names of clients and filters', async (t) => {
  const aedes = await broker(t)
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
    t.notOk(isRegistered(aedes, name))
    const { client, far } = await connected(aedes, name)
    t.ok(isRegistered(aedes, name))
    t.same(subscriptionsOf(client), [])
    const subscriptions = [{ topic: name, qos: 1 as const }]
    far.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
    await once(aedes, 'subscribe')
    t.match(subscriptionsOf(client), [[name, { qos: 1 }]])
    far.destroy()
    client.close()
    await once(aedes, 'clientDisconnect')
    t.notOk(isRegistered(aedes, name))
  }
})

t.test('packet identifiers of aedes stay in their half', async (t) => {
  const { client } = begin(await broker(t), 'a')
  const next = () => Number(Reflect.get(client, '_nextId'))
  t.equal(next(), 1)
  Reflect.set(client, '_nextId', OTHER_ID_MAX)
  t.equal(next(), OTHER_ID_MAX)
  Reflect.set(client, '_nextId', OTHER_ID_MAX + 1)
  t.equal(next(), 1)
})

t.test('an identifier that is taken is passed over, also at the end', async (t) => {
  const taken = new Set([1, 2, OTHER_ID_MAX])
  const { client } = begin(await broker(t), 'a', 0, (packetId) => taken.has(packetId))
  const next = () => Number(Reflect.get(client, '_nextId'))
  t.equal(next(), 3)
  Reflect.set(client, '_nextId', OTHER_ID_MAX)
  t.equal(next(), 3)
  const { client: full } = begin(await broker(t), 'b', 0, () => true)
  t.ok(Number(Reflect.get(full, '_nextId')) <= OTHER_ID_MAX, 'where all are taken it ends')
})

t.test('a packet goes out as the filters that match grant it', async (t) => {
  const aedes = await broker(t)
  const { client, far } = await connected(aedes, 'a')
  const subscriptions = [
    { topic: 'a/#', qos: 0 as const },
    { topic: 'a/+', qos: 1 as const },
  ]
  far.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
  await once(aedes, 'subscribe')
  const sent = (topic: string, brokerId = '') => {
    const packet = { topic, qos: 2, dup: true, brokerId } as unknown as AedesPublishPacket
    mendForward(client, packet, { isDuplicate: false })
    return packet
  }
  t.match(sent('a/b'), { qos: 1, dup: false })
  t.match(sent('a'), { qos: 0 })
  t.match(sent('a', 'queue'), { qos: 1 }, 'what is in a queue is acknowledged')
  t.match(sent('elsewhere'), { qos: 2 }, 'where the relay itself sends it')
})

t.test('a session that is resumed is not taken for new, and ends all the same', async (t) => {
  const { client } = await connected(await broker(t), 'a')
  const resumed = { version: 5, clientId: 'a', isClean: false } as Connect
  for (const other of [{ version: 4 }, { clientId: '' }, { isClean: true }] as const) {
    mendResumption(client, { ...resumed, ...other })
    t.ok(client.clean)
  }
  Object.assign(client, { version: 5 })
  mendResumption(client, resumed)
  t.notOk(client.clean)
  t.ok(endsWithConnection(client))
  Object.assign(client, { sessionExpiryInterval: 5 })
  t.notOk(endsWithConnection(client))
})

t.test('a packet that aedes throws at ends the client alone', async (t) => {
  const aedes = await broker(t)
  const { client, far } = await connected(aedes, 'a')
  // aedes gathers filters in a plain object, which has no key of this name.
  const subscriptions = ['__proto__', 'b'].map((topic) => ({ topic, qos: 1 as const }))
  far.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
  await once(aedes, 'clientError')
  t.ok(client.closed)
  await connected(aedes, 'b')
})

t.test('a client that has gone in the middle of CONNECT is not registered', async (t) => {
  const aedes = await broker(t)
  const register = Reflect.get(aedes, 'registerClient') as (client: Client) => void
  const { client } = begin(aedes, 'a')
  renameClient(client, 'a')
  client.close()
  register(client)
  t.notOk(isRegistered(aedes, 'a'))
})

t.test('one that goes does not take the place of another along', async (t) => {
  const aedes = await broker(t)
  const { client: first } = await connected(aedes, 'first')
  const { client: second } = await connected(aedes, 'second')
  renameClient(second, 'first')
  second.close()
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(isRegistered(aedes, 'first'))
  t.notOk(first.closed)
})

t.test('keep alive is restarted where there is one', async (t) => {
  const aedes = await broker(t)
  const { client } = await connected(aedes, 'a', 1)
  let refreshed = 0
  const timer = Reflect.get(client, '_keepaliveTimer') as NodeJS.Timeout
  const refresh = timer.refresh.bind(timer)
  timer.refresh = () => {
    refreshed += 1
    return refresh()
  }
  keepAlive(client)
  t.equal(refreshed, 1)
  const { client: other } = await connected(aedes, 'b')
  keepAlive(other)
  t.pass('none is fine')
})
