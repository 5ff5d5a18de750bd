import t from 'tap'
import { momentMs } from '../../src/cli/moment.ts'

const NOW = Date.UTC(2026, 10, 24, 12)

t.test('a moment is an ISO time, or how long ago', async (t) => {
  const cases: [string, number][] = [
    ['2h', Date.UTC(2026, 10, 24, 10)],
    ['0s', NOW],
    ['1d', Date.UTC(2026, 10, 23, 12)],
    ['2026-11-24', Date.UTC(2026, 10, 24)],
    ['2026-11-24T08:00Z', Date.UTC(2026, 10, 24, 8)],
    ['2026-11-24T08:00:30.5Z', Date.UTC(2026, 10, 24, 8, 0, 30, 500)],
    ['2026-11-24T08:00+02:00', Date.UTC(2026, 10, 24, 6)],
  ]
  for (const [written, ms] of cases) t.equal(momentMs(written, NOW, 'since'), ms, written)
})

t.test('anything else is refused with the flag and what is allowed', async (t) => {
  for (const written of ['', 'yesterday', '5', '2026', '2026-13-01', '2026-11-24T99:00Z', '-2h']) {
    const message = /^--since: .*2h/
    t.throws(() => momentMs(written, NOW, 'since'), { code: 'USAGE', message }, written)
  }
})
