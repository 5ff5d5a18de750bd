import { join } from 'node:path'
import mqtt, { type IClientOptions } from 'mqtt'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import type { Address, Credential } from '../drill/broker.ts'
import { RelayProcess } from '../drill/relay-process.ts'
import { TestClient } from '../support/client.ts'
import { signIn } from '../support/raw.ts'

const [PUBLISH, SUBACK] = [3, 9]

/** A relay as a process of its own, which can be killed and started again. */
class Scene {
  readonly #test: Test
  readonly #relay: RelayProcess
  #address: Address = { host: '', port: 0 }
  lamp: Credential = { name: 'thing:lamp', password: '' }
  alice: Credential = { name: 'alice', password: '' }

  private constructor(t: Test) {
    this.#test = t
    const folder = t.testdir()
    this.#relay = new RelayProcess({ dataDir: join(folder, 'data'), configDir: folder })
    t.teardown(() => this.#relay.kill())
  }

  static async open(t: Test): Promise<Scene> {
    const scene = new Scene(t)
    scene.#address = await scene.#relay.start()
    scene.lamp = { name: 'thing:lamp', password: await scene.#add('thing.add', { id: 'lamp' }) }
    const input = { id: 'alice', isAdmin: false }
    scene.alice = { name: 'alice', password: await scene.#add('user.add', input) }
    return scene
  }

  async #add(op: string, input: object): Promise<string> {
    const socket = await reachRelay(this.#relay.dataDir)
    return ((await askRelay(socket, { op, input }, systemClock)) as { password: string }).password
  }

  get mqttPort(): number {
    return this.#address.port
  }

  async killAndStart(): Promise<void> {
    await this.#relay.kill()
    this.#address = await this.#relay.start()
  }

  async connect(who: Credential, options: IClientOptions): Promise<TestClient> {
    const client = mqtt.connect({
      ...this.#address,
      username: who.name,
      password: who.password,
      reconnectPeriod: 0,
      protocolVersion: 5,
      ...options,
    })
    this.#test.teardown(() => client.end(true))
    // What has waited comes right after CONNACK.
    const test = new TestClient(client)
    await new Promise<void>((resolve) => client.once('connect', () => resolve()))
    return test
  }
}

const kept = (clientId: string, sessionExpiryInterval: number): IClientOptions => ({
  clientId,
  clean: false,
  properties: { sessionExpiryInterval },
})

const TOPIC = 'things/lamp/a'

t.test('what waited for a session comes after a kill, once and in order', async (t) => {
  const scene = await Scene.open(t)
  const first = await scene.connect(scene.alice, kept('phone', 3600))
  await first.subscribe('things/#', 2)
  await first.drop()
  const lamp = await scene.connect(scene.lamp, { clientId: 'lamp' })
  for (let at = 0; at < 4; at += 1) await lamp.publish(TOPIC, `${at}`, { qos: 2 })
  await scene.killAndStart()
  const again = await scene.connect(scene.alice, kept('phone', 3600))
  await again.received(4)
  t.same(again.texts, ['0', '1', '2', '3'])
  await again.end()
  const last = await scene.connect(scene.alice, kept('phone', 3600))
  const after = await scene.connect(scene.lamp, { clientId: 'lamp' })
  await after.publish(TOPIC, 'new')
  await last.received(1)
  t.same(last.texts, ['new'], 'what was acknowledged is gone')
})

t.test('a session ends when its time is over, also after a kill [MQTT-4.1.0-2]', async (t) => {
  const scene = await Scene.open(t)
  for (const [clientId, expiryS] of [
    ['short', 1],
    ['long', 3600],
  ] as const) {
    const client = await scene.connect(scene.alice, kept(clientId, expiryS))
    await client.subscribe('things/#')
  }
  const lamp = await scene.connect(scene.lamp, { clientId: 'lamp' })
  await lamp.publish(TOPIC, 'before')
  await scene.killAndStart()
  // Its will, with a longer delay than the short session has left, tells when that is over.
  const watcher = await scene.connect(scene.alice, { clientId: 'watcher' })
  await watcher.subscribe('things/lamp/will')
  const will = { topic: 'things/lamp/will', payload: Buffer.from('gone'), qos: 1, retain: false }
  const clock = await scene.connect(scene.lamp, {
    ...kept('clock', 60),
    will: { ...will, qos: 1, properties: { willDelayInterval: 2 } },
  })
  await clock.drop()
  await watcher.received(1)
  const short = await scene.connect(scene.alice, kept('short', 1))
  const long = await scene.connect(scene.alice, kept('long', 3600))
  await long.received(1)
  await short.settled()
  t.same(short.texts, [])
  t.equal(long.texts[0], 'before')
})

t.test('wills of those who were here are published at the next start [MQTT-3.1.2-8]', async (t) => {
  const scene = await Scene.open(t)
  const watcher = await scene.connect(scene.alice, kept('watcher', 3600))
  await watcher.subscribe('things/#')
  const willOf = (text: string, willDelayInterval: number) => ({
    topic: 'things/lamp/will',
    payload: Buffer.from(text),
    qos: 1 as const,
    retain: false,
    properties: { willDelayInterval, contentType: 'text/plain', userProperties: { why: '?' } },
  })
  await scene.connect(scene.lamp, { ...kept('at once', 60), will: willOf('at once', 0) })
  await scene.connect(scene.lamp, { ...kept('later', 60), will: willOf('later', 1) })
  await scene.connect(scene.lamp, { ...kept('back', 60), will: willOf('back', 2) })
  await scene.connect(scene.lamp, { ...kept('end', 60), will: willOf('end', 3) })
  // A commit takes all along that was written before it.
  await watcher.publish('users/alice/inbox/alice/m1', 'x')
  await scene.killAndStart()
  await scene.connect(scene.lamp, kept('back', 60))
  const again = await scene.connect(scene.alice, kept('watcher', 3600))
  await again.until((arrivals) => arrivals.some(({ text }) => text === 'end'))
  t.same(again.texts, ['at once', 'later', 'end'], 'who is back in time has not gone')
  t.match(again.arrivals[0]?.properties, {
    contentType: 'text/plain',
    userProperties: { why: '?' },
  })
})

t.test('what may have been sent before a kill comes again as that [MQTT-3.3.1-1]', async (t) => {
  const scene = await Scene.open(t)
  // Acknowledges nothing.
  const first = await signIn(t, scene, scene.alice, { clientId: 'phone', clean: false })
  const subscriptions = ['things/#', 'users/alice/inbox/#'].map(
    (topic) => ({ topic, qos: 1 }) as const,
  )
  first.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await first.next(SUBACK)
  const lamp = await scene.connect(scene.lamp, { clientId: 'lamp' })
  await lamp.publish(TOPIC, 'status')
  const sender = await scene.connect(scene.alice, { clientId: 'sender' })
  await sender.publish('users/alice/inbox/alice/m1', 'mail')
  for (let count = 0; count < 2; count += 1) await first.next(PUBLISH)
  await scene.killAndStart()
  const again = await scene.connect(scene.alice, kept('phone', 3600))
  await again.received(2)
  t.same(
    again.arrivals.map(({ isDuplicate }) => isDuplicate),
    [true, true],
  )
})
