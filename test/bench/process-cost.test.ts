import t from 'tap'
import { median } from '../../bench/median.ts'
import { parseCpuMs, parseField, residentBytes } from '../../bench/process-cost.ts'

t.test('CPU time is read behind a program name with spaces and brackets', async (t) => {
  const stat = '7 (a) b (c) S 1 1 1 0 -1 0 0 0 0 0 150 30 0 0 20 0 1 0 0'
  t.equal(parseCpuMs(stat), 1_800)
})

t.test('a field is read by its whole name', async (t) => {
  t.equal(
    parseField('rchar: 1\ncancelled_write_bytes: 5\nwrite_bytes: 4096\n', 'write_bytes'),
    4096,
  )
  t.throws(() => parseField('rchar: 1', 'write_bytes'))
})

t.test('this process holds some memory', async (t) => {
  t.ok((await residentBytes(process.pid)) > 1_000_000)
})

t.test('a median is the middle, or between the middle two', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.throws(() => median([]))
})
