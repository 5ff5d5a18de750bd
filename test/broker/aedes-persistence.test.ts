import { Aedes } from 'aedes'
import t from 'tap'
import { AedesPersistence, NO_EMITTER } from '../../src/broker/aedes-persistence.ts'
import type { OrdinaryTopics } from '../../src/broker/ordinary/topics.ts'

function scene() {
  const happened: string[] = []
  const topics = {
    end: (id: string) => happened.push(`${id} ended`),
    wills: { delete: (id: string) => happened.push(`will of ${id} gone`) },
  } as unknown as OrdinaryTopics
  const committed = async () => {
    happened.push('committed')
  }
  return { persistence: new AedesPersistence({ topics, committed }), happened }
}

t.test('a session that begins anew ends before CONNACK', async (t) => {
  const { persistence, happened } = scene()
  await persistence.cleanSubscriptions({ id: 'bob/1' })
  t.same(happened, ['bob/1 ended', 'committed'])
  t.same(await persistence.subscriptionsByClient(), [])
})

t.test('wills are ours; those that go while the relay stops stay for the next start', async (t) => {
  const { persistence, happened } = scene()
  await persistence.setup({ id: 'relay', counter: 0 })
  const will: { brokerId?: string; clientId?: string } = {}
  await persistence.putWill({ id: 'bob/1' }, will)
  t.same(will, { brokerId: 'relay', clientId: 'bob/1' })
  await persistence.delWill({ id: 'bob/1' })
  await persistence.destroy()
  await persistence.delWill({ id: 'eve/1' })
  t.same(happened, ['will of bob/1 gone', 'committed'])
  t.same(await persistence.streamWill().toArray(), [])
  t.same(await persistence.outgoingStream().toArray(), [])
})

t.test('aedes runs on it, and hears nothing', async (t) => {
  const { persistence } = scene()
  const aedes = new Aedes({ id: 'relay', persistence, mq: NO_EMITTER })
  await aedes.listen()
  t.equal(persistence.broker, aedes)
  let heard = 0
  const listen = (_packet: unknown, done: () => void) => {
    heard += 1
    done()
  }
  await new Promise<void>((done) => aedes.subscribe('a', listen, done))
  await new Promise<void>((done) => {
    const packet = { cmd: 'publish', topic: 'a', payload: 'x', qos: 0 } as const
    aedes.publish({ ...packet, dup: false, retain: false }, () => done())
  })
  await new Promise<void>((done) => aedes.unsubscribe('a', listen, done))
  await new Promise<void>((done) => aedes.close(done))
  t.equal(heard, 0)
})
