import t from 'tap'
import { problemsOf } from '../src/problems.ts'
import type { StoreReport } from '../src/store/report.ts'

const SOUND: StoreReport = { damages: [], unlisted: 0, setAside: [], wasClosed: true }

t.test('a sound relay has no problems', async (t) => {
  t.same(problemsOf({ isFull: false, report: SOUND }, 'device'), [])
})

t.test('each problem says what it is and what to do', async (t) => {
  const damages = [
    { kind: 'pair', text: 'the value of "x" is damaged' },
    { kind: 'mended', text: 'the store was mended' },
  ] as const
  const problems = problemsOf({ isFull: true, report: { ...SOUND, damages } }, 'none')
  t.match(
    problems.map(({ what }) => what),
    [/"x"/, /mended/, /full/, /clock/],
  )
  for (const { mend } of problems) t.match(mend, /\w+/)
})

t.test('any clock that was set is no problem', async (t) => {
  for (const quality of ['device', 'peer', 'ntp', 'gps'] as const) {
    t.same(problemsOf({ isFull: false, report: SOUND }, quality), [])
  }
})
