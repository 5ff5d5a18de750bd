import t from 'tap'
import { bytesText, columns, countText, lengthText, table, timeText } from '../../src/cli/layout.ts'

t.test('cells stand below one another, without blanks at the end', async (t) => {
  t.equal(columns([['a', 'bb', ''], ['aaa', 'b', 'c'], ['x']]), 'a    bb\naaa  b   c\nx')
  t.equal(columns([]), '')
})

t.test('what comes from outside cannot leave its cell', async (t) => {
  t.equal(columns([['a\nb\u001b[2J', 'c']]), 'a\\u000ab\\u001b[2J  c')
})

t.test('a table without rows says so', async (t) => {
  t.equal(table(['A'], [], 'nothing'), 'nothing')
  t.equal(table(['A'], [['x']], 'nothing'), 'A\nx')
})

t.test('lengths of time, sizes, counts and times are short', async (t) => {
  const day = 86_400_000
  const lengths: [number, string][] = [
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h 0 min'],
    [day - 1, '23 h 59 min'],
    [3 * day + 4 * 3_600_000, '3 d 4 h'],
  ]
  for (const [ms, text] of lengths) t.equal(lengthText(ms), text)
  const sizes: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [12.4 * 2 ** 20, '12.4 MiB'],
    [3 * 2 ** 30, '3.0 GiB'],
    [2 ** 50, '1024.0 TiB'],
  ]
  for (const [bytes, text] of sizes) t.equal(bytesText(bytes), text)
  t.equal(countText(1_204_000), '1,204,000')
  t.equal(timeText('2026-11-24T08:15:00.123Z'), '2026-11-24 08:15:00Z')
})
