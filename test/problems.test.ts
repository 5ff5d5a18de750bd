import t from 'tap'
import { problemsOf, type Signs } from '../src/problems.ts'
import type { StoreReport } from '../src/store/report.ts'

const SOUND: StoreReport = { damages: [], unlisted: 0, setAside: [], wasClosed: true }
const SOUND_SIGNS: Signs = {
  store: { isFull: false, report: SOUND },
  quality: 'device',
  isTlsMissing: false,
}

t.test('a sound relay has no problems', async (t) => {
  t.same(problemsOf({ ...SOUND_SIGNS }), [])
})

t.test('each problem says what it is and what to do', async (t) => {
  const damages = [
    { kind: 'pair', text: 'the value of "x" is damaged' },
    { kind: 'mended', text: 'the store was mended' },
  ] as const
  const problems = problemsOf({
    store: { isFull: true, report: { ...SOUND, damages } },
    quality: 'none',
    isTlsMissing: true,
  })
  t.match(
    problems.map(({ what }) => what),
    [/"x"/, /mended/, /full/, /tls_port/, /clock/],
  )
  for (const { mend } of problems) t.match(mend, /\w+/)
})

t.test('any clock that was set is no problem', async (t) => {
  for (const quality of ['device', 'peer', 'ntp', 'gps'] as const) {
    t.same(problemsOf({ ...SOUND_SIGNS, quality }), [])
  }
})
