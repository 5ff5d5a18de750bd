import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { KeyFilter } from '../../src/mailbox/key-filter.ts'

const key = (n: number) =>
  `record/alice/bob/0190a4a4-7c40-7abc-8abc-${n.toString(16).padStart(12, '0')}`

/** How many of 10,000 keys that were never added it lets pass. */
function mistaken(filter: KeyFilter): number {
  let count = 0
  for (let n = 0; n < 10_000; n += 1) if (filter.mayHave(key(2 ** 40 + n))) count += 1
  return count
}

t.test('what was added may be there, and what was not is hardly ever taken for it', async (t) => {
  const filter = new KeyFilter()
  t.equal(mistaken(filter), 0)
  for (let n = 0; n < 100_000; n += 1) filter.add(key(n))
  let missed = 0
  for (let n = 0; n < 100_000; n += 1) if (!filter.mayHave(key(n))) missed += 1
  t.equal(missed, 0)
  t.ok(mistaken(filter) < 10, 'with few keys less than 1 of 1,000')
})

t.test('it is full at its bound, and then still spares most looks', async (t) => {
  const filter = new KeyFilter()
  let added = 0
  const addNew = (count: number) => {
    for (let n = added; count > 0; n += 1) {
      added = n + 1
      if (filter.mayHave(key(n))) continue
      filter.add(key(n))
      count -= 1
    }
  }
  addNew(LIMITS.keyFilterKeysMax - 1)
  for (let n = 0; n < 1_000; n += 1) filter.add(key(n))
  t.equal(filter.isFull, false, 'a key that comes again counts for nothing')
  addNew(1)
  t.equal(filter.isFull, true)
  t.ok(mistaken(filter) < 400, 'less than 4 of 100')
  t.ok(filter.mayHave(key(0)))
})
