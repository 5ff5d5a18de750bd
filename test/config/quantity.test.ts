import fc from 'fast-check'
import t from 'tap'
import { durationS, durationText, sizeBytes, sizeText } from '../../src/config/quantity.ts'

t.test('a duration is a whole number and its unit', async (t) => {
  const cases: [string, number | undefined][] = [
    ['90s', 90],
    ['5m', 300],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['30 d', 2_592_000],
    ['0s', 0],
    ['', undefined],
    ['30', undefined],
    ['1.5h', undefined],
    ['-1s', undefined],
    ['1w', undefined],
    ['1H', undefined],
    ['1h30m', undefined],
    ['999999999999999d', undefined],
    [`${'9'.repeat(16)}s`, undefined],
  ]
  for (const [given, expected] of cases) t.equal(durationS(given), expected, given)
})

t.test('a size is a number of bytes, or a whole number and its unit', async (t) => {
  const cases: [string | number, number | undefined][] = [
    [1024, 1024],
    ['1B', 1],
    ['64KiB', 65_536],
    ['512MiB', 536_870_912],
    ['2 GiB', 2_147_483_648],
    ['1TiB', 1_099_511_627_776],
    ['512', undefined],
    ['512MB', undefined],
    ['512M', undefined],
    ['999999TiB', undefined],
  ]
  for (const [given, expected] of cases) t.equal(sizeBytes(given), expected, String(given))
})

t.test('what is written out is read back', async () => {
  fc.assert(
    fc.property(fc.nat(), (n) => durationS(durationText(n)) === n && sizeBytes(sizeText(n)) === n),
  )
})

t.test('the biggest unit that fits is written', async (t) => {
  t.equal(durationText(2_592_000), '30d')
  t.equal(durationText(90), '90s')
  t.equal(sizeText(262_144), '256KiB')
  t.equal(sizeText(1_000), '1000B')
})
