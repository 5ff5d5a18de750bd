import t from 'tap'
import { runAway } from './away.ts'
import { awayLines, isDelivered } from './away-summary.ts'

/** How soon the store shrinks is for the whole drill: a pause of the relay is longer than a test. */
const task = { messages: 300, kills: 3, seed: 1, storeMsMax: 0 }

t.test('who was away gets every message in order and once, over 3 kills', async (t) => {
  const result = await runAway(task)
  t.ok(isDelivered(result, task), awayLines(result, task))
  t.same(result.kills, { sending: 2, draining: 1 })
  t.equal(result.counts.arrivals - result.counts.redelivered, 2 * task.messages)
})
