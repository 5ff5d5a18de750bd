import t from 'tap'
import { nearest } from '../../src/config/nearest.ts'

const WORDS = ['port', 'host', 'tls_port', 'password']

t.test('the word that is at most two slips away is meant', async (t) => {
  const cases: [string, string | undefined][] = [
    ['port', 'port'],
    ['prot', 'port'],
    ['pot', 'port'],
    ['hosts', 'host'],
    ['tlsport', 'tls_port'],
    ['passwrd', 'password'],
    ['paswrd', 'password'],
    ['pswrd', undefined],
    ['mqtt', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ]
  for (const [given, expected] of cases)
    t.equal(nearest(given, WORDS), expected, given.slice(0, 20))
})

t.test('of several the nearest is meant', async (t) => {
  t.equal(nearest('list', ['last', 'list', 'lost']), 'list')
})

t.test('without words nothing is meant', async (t) => {
  t.equal(nearest('list', []), undefined)
})
