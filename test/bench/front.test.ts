import t from 'tap'
import { AedesProcess } from '../../bench/aedes-process.ts'
import { Fan } from '../../bench/fan.ts'
import { ours, packetsOf, theirs } from '../../bench/front-packets.ts'
import { SeededRandom } from '../load/random.ts'

t.test('both ways of taking packets apart find every packet of every kind', async (t) => {
  for (const version of [4, 5] as const) {
    for (const [kind, bytes] of packetsOf(version)) {
      const chunk = Buffer.concat([bytes, bytes, bytes])
      t.equal(ours(kind, version)(chunk), 3, kind)
      t.equal(theirs(version)(chunk), 3, kind)
    }
  }
})

t.test('what a fan has sent arrives at every reader before it stops', async (t) => {
  const broker = new AedesProcess({ core: 0 })
  t.teardown(() => broker.kill())
  const address = await broker.start()
  const [publisher, ...readers] = await broker.addUsers(['lamp', 'alice', 'bob', 'carol'])
  if (publisher === undefined) return
  for (const qos of [0, 1] as const) {
    const topic = 'things/lamp/a'
    const options = { address, publisher, topic, readers, qos, payloadBytes: 20, window: 4 }
    const fan = new Fan({ random: new SeededRandom(1) }, options)
    await fan.connect()
    fan.start()
    await fan.stop()
    t.equal(fan.arrivals, 4 * readers.length, `QoS ${qos}`)
    await fan.leave()
  }
})
