import t from 'tap'
import { keySum } from '../../src/store/seal.ts'
import { parseTally, Tally } from '../../src/store/tally.ts'

function tallyOf(...keys: string[]): Tally {
  const tally = new Tally()
  for (const key of keys) tally.add(key, keySum(key))
  return tally
}

t.test('it counts the keys of each table', async (t) => {
  const tally = tallyOf('box/1', 'box/2', 'entry/1')
  t.equal(tally.tables.get('box')?.count, 2)
  t.equal(tally.tables.get('entry')?.count, 1)
  t.equal(tally.count, 3)
})

t.test('a key that comes and goes leaves no trace in count and sum', async (t) => {
  const tally = tallyOf('box/1', 'box/2')
  tally.drop('box/2', keySum('box/2'))
  t.same(tally.tables, tallyOf('box/1').tables)
})

t.test('the order of keys does not matter', async (t) => {
  t.same(tallyOf('box/1', 'box/2').tables, tallyOf('box/2', 'box/1').tables)
})

t.test('one key gone and another one back shows in the sum', async (t) => {
  const [one, other] = [tallyOf('box/1'), tallyOf('box/2')]
  t.equal(one.tables.get('box')?.count, other.tables.get('box')?.count)
  t.not(one.tables.get('box')?.sum, other.tables.get('box')?.sum)
})

t.test('the tally of the next commit is changed without the one before', async (t) => {
  const before = tallyOf('box/1')
  const next = before.at(7)
  next.add('box/2', keySum('box/2'))
  t.equal(next.commit, 7)
  t.equal(before.count, 1)
})

t.test('it survives being written down', async (t) => {
  const tally = tallyOf('box/1', 'entry/2').at(12)
  t.same(parseTally(tally.toString()), tally)
})

t.test('what is no tally is none', async (t) => {
  for (const text of ['', '{', '7', 'null', '[1,{}]']) t.equal(parseTally(text), undefined, text)
})
