import t from 'tap'
import { lastNumber, part, sortable, tableOf, under, unpart } from '../../src/store/keys.ts'

t.test('the first part of a key is its table', async (t) => {
  t.equal(tableOf('box/inbox/bob/1'), 'box')
})

t.test('what is under bob is not under bobby', async (t) => {
  const { gte, lt } = under('box/inbox/bob/')
  const isIn = (key: string) => key >= gte && key < lt
  t.ok(isIn('box/inbox/bob/00000000001'))
  t.ok(isIn('box/inbox/bob/zzzzzzzzzzz'))
  for (const other of ['bobby', 'bob.', 'bob-', 'bob0', 'boa']) {
    t.notOk(isIn(`box/inbox/${other}/00000000001`), other)
  }
})

t.test('numbers sort as they count, and come back', async (t) => {
  const numbers = [0, 1, 35, 36, 1_000, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const keys = numbers.map(sortable)
  t.same([...keys].sort(), keys)
  t.same(
    keys.map((key) => lastNumber(`entry/${key}`)),
    numbers,
  )
})

t.test('any text is one part of a key, and comes back', async (t) => {
  for (const text of ['phone', 'a/b', '50%', 'ä ö', '\u{1f600}', '/']) {
    t.notMatch(part(text), /\//)
    t.equal(unpart(part(text)), text)
  }
})
