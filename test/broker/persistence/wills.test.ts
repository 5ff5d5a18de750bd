import t from 'tap'
import { EARLIER_RUN, Wills } from '../../../src/broker/persistence/wills.ts'
import { freshStore, listOf } from './rig.ts'

const will = (clientId: string, brokerId = 'relay') => ({
  topic: `w/${clientId}`,
  payload: Buffer.from('gone'),
  qos: 1,
  clientId,
  brokerId,
})

t.test('a will is there until it is taken', async (t) => {
  const wills = new Wills({ store: await freshStore(t) }, { readAheadMax: 2 })
  wills.set('bob', will('bob'))
  wills.set('bob', { ...will('bob'), qos: 2 })
  t.match(wills.get('bob'), { topic: 'w/bob', qos: 2 })
  t.equal(wills.get('constructor'), undefined)
  t.equal(wills.take('constructor'), undefined)
  t.match(wills.take('bob'), { qos: 2 })
  t.equal(wills.take('bob'), undefined)
  t.equal(wills.size, 0)
})

t.test('the wills of brokers that do not live are found, over several pages', async (t) => {
  const wills = new Wills({ store: await freshStore(t) }, { readAheadMax: 2 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) wills.set(name, will(name, `of ${name}`))
  const found = await listOf(wills.orphaned(new Set(['of b', 'of e'])))
  t.same(
    found.map(({ clientId }) => clientId),
    ['a', 'c', 'd'],
  )
})

t.test(
  'a will that an earlier run left is of no living broker, until its client is back',
  async (t) => {
    const store = await freshStore(t)
    new Wills({ store }, { readAheadMax: 2 }).set('bob', will('bob'))
    const wills = new Wills({ store }, { readAheadMax: 2 })
    wills.visit('will/bob')
    t.match(await listOf(wills.orphaned(new Set(['relay']))), [
      { clientId: 'bob', brokerId: EARLIER_RUN },
    ])
    wills.set('bob', will('bob'))
    t.same(await listOf(wills.orphaned(new Set(['relay']))), [])
  },
)
