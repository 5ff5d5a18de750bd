import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { Leavings } from '../../src/store/leavings.ts'

t.test('removals below one prefix become one range that covers them all', async (t) => {
  const leavings = new Leavings()
  for (const key of ['entry/a.1/5', 'entry/a.1/3', 'entry/a.1/9']) leavings.note(key)
  t.strictSame(leavings.take(), [{ gte: 'entry/a.1/3', lt: 'entry/a.1/9\0' }])
  t.strictSame(leavings.take(), [], 'and are taken once')
})

t.test('boxes of different users are different ranges', async (t) => {
  const leavings = new Leavings()
  leavings.note('box/inbox/bob/1')
  leavings.note('box/inbox/bobby/1')
  t.equal(leavings.take().length, 2)
})

t.test('tables that hold no mail are left to LevelDB', async (t) => {
  const leavings = new Leavings()
  leavings.note('record/a/b/c')
  leavings.note('state/user/a')
  t.strictSame(leavings.take(), [])
})

t.test('at the bound all ranges are taken, beyond it the rest comes next time', async (t) => {
  const leavings = new Leavings()
  for (let n = 0; n <= LIMITS.compactRangesMax; n += 1) leavings.note(`box/inbox/u${n}/1`)
  t.equal(leavings.take().length, LIMITS.compactRangesMax)
  t.equal(leavings.take().length, 1)
})
