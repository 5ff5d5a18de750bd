import t from 'tap'
import Schema from 'typebox/schema'
import { choice, count, duration, type Key, port, size, text, truth } from '../../src/config/key.ts'

const allows = (key: Key, value: unknown): boolean => Schema.Check(key.schema, value)

t.test('each kind of key takes what it says, up to its bound and no further', async (t) => {
  const cases: [string, Key, unknown[], unknown[]][] = [
    ['text', text('a', '^[a-c]$', 'a to c', ''), ['a', 'c'], ['d', '', 1, null]],
    ['port', port(1, ''), [0, 1883, 65_535], [-1, 65_536, 1.5, '1883', null]],
    ['truth', truth(true, ''), [true, false], ['true', 1, null]],
    ['choice', choice(['a', 'b'], ''), ['a', 'b'], ['c', 'A', null]],
    ['count', count(1, ''), [1, 100_000_000], [0, 100_000_001, 1.5, '1']],
    ['duration', duration('1s', [], ''), ['1s', '3650d'], ['0s', '3651d', '1', 0, 1, null]],
    ['duration with words', duration('1s', ['0', 'ever'], ''), [0, '0', 'ever'], [1, 'never']],
    ['size', size('1B', 2048, [], ''), [1, 2048, '2KiB'], [0, 2049, '3KiB', 1.5, '2048', null]],
    ['size with words', size('1B', 2048, ['none'], ''), ['none', '1KiB'], ['some', 0]],
  ]
  for (const [name, key, good, bad] of cases) {
    for (const value of good) t.ok(allows(key, value), `${name} takes ${JSON.stringify(value)}`)
    for (const value of bad) t.notOk(allows(key, value), `${name} refuses ${JSON.stringify(value)}`)
  }
})

t.test('the first of the words is the default', async (t) => {
  t.equal(choice(['a', 'b'], '').fallback, 'a')
})

t.test('every bound is told', async (t) => {
  t.match(port(1, '').allowed, /0 .*65535/)
  t.match(size('1B', 2048, ['none'], '').allowed, /2KiB.*none/)
  t.match(duration('1s', ['forever'], '').allowed, /3650d.*forever/)
})
