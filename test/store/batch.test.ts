import t from 'tap'
import { Batch, type Offer, type Write } from '../../src/store/batch.ts'
import { keySum } from '../../src/store/seal.ts'
import { Tally } from '../../src/store/tally.ts'
import { bytes, KeptWaiter, text } from './rig.ts'

function offerTo(batch: Batch, ...writes: [string, string][]): Offer {
  const inserts: Write[] = writes.map(([key, value]) => ({ key, value: bytes(value) }))
  return batch.offer(inserts, new KeptWaiter())
}

/** What each key of a batch becomes; `null` for a removal. */
function contents(batch: Batch): Record<string, string | null | undefined> {
  return Object.fromEntries(
    [...batch.changes.keys()].map((key) => {
      const value = batch.valueOf(key)
      return [key, value === null ? null : text(value)]
    }),
  )
}

/** By how much a batch changes the count of table `a`. */
function change(batch: Batch): number {
  const tally = new Tally()
  batch.countInto(tally)
  return tally.count
}

t.test('several changes of a key become one', async (t) => {
  const batch = new Batch()
  batch.insert('a/1', bytes('one'), 'plain')
  batch.replace('a/1', bytes('two'))
  batch.replace('a/2', bytes('three'))
  batch.remove('a/3')
  t.same(contents(batch), { 'a/1': 'two', 'a/2': 'three', 'a/3': null })
  t.equal(change(batch), 0)
})

t.test('a key that comes and goes in one batch is never written', async (t) => {
  const batch = new Batch()
  batch.insert('a/1', bytes('one'), 'plain')
  batch.remove('a/1')
  t.ok(batch.isEmpty)
})

t.test('a key that goes and comes in one batch is replaced', async (t) => {
  const batch = new Batch()
  batch.remove('a/1')
  batch.insert('a/1', bytes('new'), 'plain')
  t.same(contents(batch), { 'a/1': 'new' })
  t.equal(change(batch), 0)
  batch.remove('a/1')
  t.same(contents(batch), { 'a/1': null })
  t.equal(change(batch), -1)
})

t.test('it counts keys and their sums', async (t) => {
  const batch = new Batch()
  batch.insert('a/1', bytes(''), 'plain')
  batch.remove('a/2')
  const tally = new Tally()
  tally.add('a/2', keySum('a/2'))
  batch.countInto(tally)
  const expected = new Tally()
  expected.add('a/1', keySum('a/1'))
  t.same(tally.tables, expected.tables)
})

t.test('what cannot be is a bug of the caller', async (t) => {
  const batch = new Batch()
  batch.insert('a/1', bytes(''), 'plain')
  t.throws(() => batch.insert('a/1', bytes(''), 'plain'))
  batch.remove('a/2')
  t.throws(() => batch.replace('a/2', bytes('')))
  t.throws(() => batch.remove('a/2'))
})

t.test(
  'a withdrawn offer leaves nothing, also not what was written to its keys since',
  async (t) => {
    const batch = new Batch()
    batch.insert('a/0', bytes('stays'), 'plain')
    const offer = offerTo(batch, ['a/1', 'one'], ['a/2', 'two'])
    batch.replace('a/1', bytes('changed'))
    batch.withdraw(offer)
    t.same(contents(batch), { 'a/0': 'stays' })
    t.equal(offer.batch, undefined)
  },
)

t.test('a withdrawn offer does not take what another one inserted after a removal', async (t) => {
  const batch = new Batch()
  const first = offerTo(batch, ['a/1', 'first'])
  batch.remove('a/1')
  offerTo(batch, ['a/1', 'second'])
  batch.withdraw(first)
  t.same(contents(batch), { 'a/1': 'second' })
})

t.test(
  'a key that was removed before the offer is still removed after its withdrawal',
  async (t) => {
    const batch = new Batch()
    batch.remove('a/1')
    const offer = offerTo(batch, ['a/1', 'again'])
    batch.withdraw(offer)
    t.same(contents(batch), { 'a/1': null })
    t.equal(change(batch), -1)
  },
)

t.test('an offer whose keys are gone still has somebody waiting', async (t) => {
  const batch = new Batch()
  offerTo(batch, ['a/1', 'one'])
  batch.remove('a/1')
  t.equal(batch.changes.size, 0)
  t.notOk(batch.isEmpty)
})

t.test('a failed batch keeps all but its offers, and goes before the newer one', async (t) => {
  const [failed, newer] = [new Batch(), new Batch()]
  failed.replace('a/1', bytes('old'))
  failed.remove('a/2')
  failed.insert('a/3', bytes('three'), 'plain')
  const offer = offerTo(failed, ['a/4', 'refused'], ['a/5', 'refused'])
  newer.replace('a/1', bytes('new'))
  newer.remove('a/3')
  newer.replace('a/4', bytes('built on what was refused'))
  newer.remove('a/5')
  newer.insert('a/6', bytes('six'), 'plain')
  t.same(failed.dropOffers(newer), [offer.waiter])
  failed.absorb(newer)
  t.same(contents(failed), { 'a/1': 'new', 'a/2': null, 'a/6': 'six' })
  t.equal(change(failed), 0)
})

t.test('a key that was refused, removed and inserted anew stays', async (t) => {
  const [failed, newer] = [new Batch(), new Batch()]
  offerTo(failed, ['a/1', 'refused'])
  newer.remove('a/1')
  newer.insert('a/1', bytes('anew'), 'plain')
  failed.dropOffers(newer)
  failed.absorb(newer)
  t.same(contents(failed), { 'a/1': 'anew' })
  t.equal(change(failed), 1)
})

t.test('offers of the newer batch can be withdrawn from the joined one', async (t) => {
  const [failed, newer] = [new Batch(), new Batch()]
  failed.remove('a/0')
  const offer = offerTo(newer, ['a/1', 'one'])
  failed.absorb(newer)
  t.equal(offer.batch, failed)
  failed.withdraw(offer)
  t.same(contents(failed), { 'a/0': null })
})
