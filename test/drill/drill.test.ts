import t from 'tap'
import { powerUnavailable } from './power.ts'
import { runDrill } from './run.ts'
import { isClean, summaryLine } from './summary.ts'

/** A new one each time; a failure names the seed that repeats it. */
const seed = Number(process.env['DRILL_SEED'] ?? Date.now() % 1_000_000)

t.test('5 kills under load lose nothing that was acknowledged', async (t) => {
  const result = await runDrill({ broker: 'Waypost', fault: 'kill', rounds: 5, seed })
  const line = summaryLine({ broker: 'Waypost', fault: 'kill', seed, ms: 0 }, result)
  t.ok(isClean(result), line, { result })
})

const reason = await powerUnavailable()

t.test('2 power cuts lose nothing that was acknowledged', { skip: reason ?? false }, async (t) => {
  const result = await runDrill({ broker: 'Waypost', fault: 'power cut', rounds: 2, seed })
  const line = summaryLine({ broker: 'Waypost', fault: 'power cut', seed, ms: 0 }, result)
  t.ok(isClean(result), line, { result })
})
