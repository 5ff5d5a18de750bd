import t from 'tap'
import { runDamageDrill } from './damage-drill.ts'
import { damageLine } from './summary.ts'

/** Always the same: what is found here is to be looked into with the drill. */
const SEED = 1

t.test('6 damaged stores start, and nothing of them is lost without a word', async (t) => {
  const result = await runDamageDrill({ stores: 6, seed: SEED })
  const line = damageLine(result, { seed: SEED, ms: 0 })
  // Whether what is named is the full number is for the long drill: it depends on where a commit
  // of the fixture ends, which the moment decides.
  t.match(result, { stores: 6, notStarted: 0, failed: 0, silent: 0 }, line, { result })
})
