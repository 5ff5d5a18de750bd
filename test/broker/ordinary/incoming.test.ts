import t from 'tap'
import { Incoming } from '../../../src/broker/ordinary/incoming.ts'
import { freshStore } from './rig.ts'

async function fresh(t: Parameters<typeof freshStore>[0], incomingPerSessionMax = 5) {
  const store = await freshStore(t)
  return { store, incoming: new Incoming({ store }, { incomingPerSessionMax }) }
}

t.test('an unfinished publish is there until it is removed, for its own client', async (t) => {
  const { incoming } = await fresh(t)
  incoming.add('bob', 7)
  t.same([...incoming.of('bob')], [7])
  t.same([...incoming.of('bobby')], [])
  t.equal(incoming.remove('bobby', 7), false)
  t.equal(incoming.remove('bob', 7), true)
  t.equal(incoming.remove('bob', 7), false)
  t.equal(incoming.size, 0)
  t.same([...incoming.clientIds()], [])
})

t.test('at the bound all are kept, one past it is refused until one is released', async (t) => {
  const { incoming } = await fresh(t, 2)
  incoming.add('bob', 1)
  incoming.add('bob', 2)
  incoming.add('bob', 2)
  t.equal(incoming.size, 2)
  t.throws(() => incoming.add('bob', 3), { code: 'SENDER_FULL' })
  incoming.add('bobby', 3)
  incoming.remove('bob', 1)
  incoming.add('bob', 3)
  t.same([...incoming.of('bob')], [2, 3])
})

t.test('a session ends with all its unfinished publishes', async (t) => {
  const { incoming } = await fresh(t)
  for (const id of [1, 2, 65_535]) incoming.add('__proto__', id)
  incoming.add('bob', 1)
  incoming.clear('__proto__')
  incoming.clear('nobody')
  t.equal(incoming.size, 1)
})

t.test('a start takes the packet ids from the keys', async (t) => {
  const { store, incoming } = await fresh(t)
  incoming.add('bob', 65_535)
  const again = new Incoming({ store }, { incomingPerSessionMax: 5 })
  again.visit('incoming/bob/00000001ekf')
  t.same([...again.of('bob')], [65_535])
})
