import t from 'tap'
import { messageId, userId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

/** The ledger, after a look that it adds up. */
function ledgerOf(rig: Rig): number[] {
  const { accepted, delivered, queued, expired, refused } = rig.counts.ledger
  if (accepted !== delivered + queued + expired) throw new Error('the ledger does not add up')
  return [accepted, delivered, queued, expired, refused]
}

t.test('accepted is delivered, queued and expired, after each step', async (t) => {
  const rig = await Rig.open(t)
  t.same(ledgerOf(rig), [0, 0, 0, 0, 0])
  rig.hand({ id: messageId('one') })
  t.same(ledgerOf(rig), [1, 0, 1, 0, 0], 'from the moment it is taken')
  await rig.quiet()
  await rig.send({ expiresAfterS: 1 })
  await rig.send({}, alice, userId('nobody'))
  t.same(ledgerOf(rig), [2, 0, 2, 0, 1])
  await rig.pass(1_000)
  t.same(ledgerOf(rig), [2, 0, 1, 1, 1])
  const phone = rig.device(bob, 'phone')
  await phone.ackAll()
  t.same(ledgerOf(rig), [2, 1, 0, 1, 1])
  await rig.send({ id: messageId('one') })
  t.same(ledgerOf(rig), [2, 1, 0, 1, 1], 'a retry is no other message')
})

t.test('the counts go on after a restart and after a crash', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  await phone.ackAll()
  phone.leave()
  await rig.send()
  await rig.send({}, alice, userId('nobody'))
  t.same(ledgerOf(rig), [2, 1, 1, 0, 1])
  await rig.restart()
  t.same(ledgerOf(rig), [2, 1, 1, 0, 1])
  const next = await rig.crash()
  t.same(ledgerOf(next), [2, 1, 1, 0, 1])
  await next.send()
  t.same(ledgerOf(next), [3, 1, 2, 0, 1])
})

t.test('what a crash takes back is not counted, nor is it acknowledged', async (t) => {
  const rig = await Rig.open(t)
  await rig.send()
  rig.disk.hold()
  const letter = rig.hand()
  await rig.disk.held()
  t.same(ledgerOf(rig), [2, 0, 2, 0, 0])
  t.equal(letter.state, 'waiting')
  const next = await rig.crash()
  t.same(ledgerOf(next), [1, 0, 1, 0, 0])
})

t.test('a crash between acknowledgement and its commit delivers again', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const letter = await rig.send()
  rig.disk.hold()
  phone.ack()
  rig.store.flushSoon()
  await rig.disk.held()
  t.same(ledgerOf(rig), [1, 1, 0, 0, 0])
  const next = await rig.crash()
  t.same(ledgerOf(next), [1, 0, 1, 0, 0])
  const again = next.device(bob, 'phone')
  await again.ackAll()
  t.same(again.ids, [letter.id])
  t.same(ledgerOf(next), [1, 1, 0, 0, 0])
})
