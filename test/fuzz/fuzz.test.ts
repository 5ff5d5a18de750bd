import t from 'tap'
import { runFuzz } from './run.ts'

/** Always the same; the long search is `npm run fuzz`. */
const SEED = 1
const PACKETS = 2_000
const REST_MS_MAX = 5_000

t.test('a relay lives through a short search, answers, and serves others', async (t) => {
  const result = await runFuzz({ seed: SEED, packets: PACKETS, restMsMax: REST_MS_MAX })
  t.same(result.findings, [])
  t.ok(result.packets >= PACKETS)
})
