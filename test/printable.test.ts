import fc from 'fast-check'
import t from 'tap'
import { printable } from '../src/printable.ts'

t.test('what could leave its line or turn its direction is escaped', async (t) => {
  const cases: [string, string][] = [
    ['bob', 'bob'],
    ['a\nb', 'a\\u000ab'],
    ['\u001b[2J', '\\u001b[2J'],
    ['\u0085\u2028\u2029', '\\u0085\\u2028\\u2029'],
    ['\u202Etxt', '\\u202etxt'],
    ['\u{E0001}', '\\udb40\\udc01'],
    ['grüße 👋 مرحبا', 'grüße 👋 مرحبا'],
  ]
  for (const [given, expected] of cases) t.equal(printable(given), expected)
})

t.test('JSON still means the same afterwards', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const read: unknown = JSON.parse(printable(JSON.stringify(text)))
      return read === text
    }),
  )
})
