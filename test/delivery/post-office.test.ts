import t from 'tap'
import { alice, bob, Rig } from './rig.ts'

t.test('two devices at different speeds settle every message of a backlog', async (t) => {
  const rig = await Rig.open(t)
  const slow = rig.device(bob, 'slow')
  const fast = rig.device(bob, 'fast')
  slow.leave()
  fast.leave()
  for (let at = 0; at < 150; at += 1) rig.hand()
  await rig.quiet()
  slow.come()
  fast.come()
  await rig.quiet()
  await fast.ackAll()
  await slow.ackAll()
  t.equal(fast.ids.length, 150)
  t.equal(slow.ids.length, 150)
  t.match(rig.counts.ledger, { accepted: 150, delivered: 150, queued: 0 })
})
