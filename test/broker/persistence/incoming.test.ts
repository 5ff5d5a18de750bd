import t from 'tap'
import { Incoming } from '../../../src/broker/persistence/incoming.ts'
import { freshStore } from './rig.ts'

async function fresh(t: Parameters<typeof freshStore>[0], incomingPerSessionMax = 5) {
  const store = await freshStore(t)
  return { store, incoming: new Incoming({ store }, { incomingPerSessionMax }) }
}

t.test(
  'an unfinished publish is there until it is removed, for its own client alone',
  async (t) => {
    const { incoming } = await fresh(t)
    incoming.set('bob', 7, { topic: 'a', payload: Buffer.from('1'), qos: 2 })
    t.ok(incoming.has('bob'))
    t.notOk(incoming.has('bobby'))
    t.match(incoming.get('bob', 7), { topic: 'a', qos: 2, messageId: 7 })
    t.equal(incoming.get('bobby', 7), undefined)
    t.equal(incoming.get('bob', 70), undefined)
    t.equal(incoming.remove('bobby', 7), false)
    t.equal(incoming.remove('bob', 7), true)
    t.equal(incoming.remove('bob', 7), false)
    t.equal(incoming.get('bob', 7), undefined)
    t.equal(incoming.size, 0)
    t.notOk(incoming.has('bob'))
  },
)

t.test('at the bound all are kept, one past it is refused until one is released', async (t) => {
  const { incoming } = await fresh(t, 2)
  incoming.set('bob', 1, { topic: 'a' })
  incoming.set('bob', 2, { topic: 'a' })
  incoming.set('bob', 2, { topic: 'b' })
  t.equal(incoming.size, 2)
  t.throws(() => incoming.set('bob', 3, { topic: 'a' }), { code: 'SENDER_FULL' })
  incoming.set('bobby', 3, { topic: 'a' })
  incoming.remove('bob', 1)
  incoming.set('bob', 3, { topic: 'a' })
  t.equal(incoming.get('bob', 2)?.topic, 'b')
})

t.test('a session ends with all its unfinished publishes', async (t) => {
  const { incoming } = await fresh(t)
  for (const id of [1, 2, 65_535]) incoming.set('__proto__', id, { topic: 'a' })
  incoming.set('bob', 1, { topic: 'a' })
  incoming.clear('__proto__')
  incoming.clear('nobody')
  t.equal(incoming.size, 1)
})

t.test('a start takes the packet ids from the keys', async (t) => {
  const { store, incoming } = await fresh(t)
  incoming.set('bob', 65_535, { topic: 'a' })
  const again = new Incoming({ store }, { incomingPerSessionMax: 5 })
  again.visit('incoming/bob/00000001ekf')
  t.equal(again.get('bob', 65_535)?.topic, 'a')
})
