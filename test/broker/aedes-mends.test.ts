import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import mqttPacket from 'mqtt-packet'
import t, { type Test } from 'tap'
import {
  AEDES_VERSION,
  isRegistered,
  keepAlive,
  mendBroker,
  mendClient,
  outlivesS,
  renameClient,
} from '../../src/broker/aedes-mends.ts'

async function broker(t: Test): Promise<Aedes> {
  const aedes = new Aedes({ concurrency: 0 })
  mendBroker(aedes)
  await aedes.listen()
  t.teardown(() => new Promise<void>((resolve) => aedes.close(resolve)))
  return aedes
}

/** A client that has sent its CONNECT. */
function begin(aedes: Aedes, clientId: string, keepalive = 0) {
  const [near, far] = duplexPair()
  const client = aedes.handle(near)
  mendClient(client)
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

t.test('names that objects have are names of clients', async (t) => {
  const aedes = await broker(t)
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
    t.notOk(isRegistered(aedes, name))
    const { client, far } = await connected(aedes, name)
    t.ok(isRegistered(aedes, name))
    const gone = once(aedes, 'clientDisconnect')
    far.destroy()
    client.close()
    await gone
    t.notOk(isRegistered(aedes, name))
  }
})

t.test('a session outlives its connection for as long as CONNECT has said', async (t) => {
  const { client } = await connected(await broker(t), 'a')
  t.equal(outlivesS(client), 0)
  Object.assign(client, { sessionExpiryInterval: 5 })
  t.equal(outlivesS(client), 5)
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
