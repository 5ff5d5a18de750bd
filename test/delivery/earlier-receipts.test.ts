import t from 'tap'
import { messageId, userId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

t.test('who never asks for receipts has none kept', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  await phone.ackAll()
  t.same(await rig.keys('box/receipts/alice/'), [])
})

t.test('but refusals, which no record tells of', async (t) => {
  const rig = await Rig.open(t)
  const { id } = await rig.send({}, alice, userId('nobody'))
  const pc = rig.device(alice, 'pc')
  await pc.ackAll()
  t.same(pc.story(id), ['refused'])
})

t.test('who asks at last is told of everything before, as if asked at once', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  const done = await rig.send()
  await phone.ackAll()
  await pad.ackAll()
  rig.post.read(alice, bob, messageId(done.id))
  const late = await rig.send({ expiresAfterS: 1 })
  await phone.ackAll()
  await rig.pass(1_000)
  const half = await rig.send()
  await phone.ackAll()
  const pc = rig.device(alice, 'pc')
  await pc.ackAll()
  t.same(pc.story(done.id), ['stored', 'delivered phone', 'delivered pad', 'delivered', 'read'])
  t.same(pc.story(late.id), ['stored', 'delivered phone', 'expired'])
  t.same(pc.story(half.id), ['stored', 'delivered phone'])
  await pad.ackAll()
  await pc.ackAll()
  t.same(pc.story(half.id), ['stored', 'delivered phone', 'delivered pad', 'delivered'])
})

t.test('they are told once, also to a device that asks later, and after a restart', async (t) => {
  const rig = await Rig.open(t)
  const { id } = await rig.send()
  const pc = rig.device(alice, 'pc')
  await pc.ackAll()
  await rig.restart()
  const again = rig.device(alice, 'pc')
  await again.ackAll()
  t.same([...pc.story(id), ...again.story(id)], ['stored'])
})

t.test('what happens while they are made is neither left out nor doubled', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const first = await rig.send()
  rig.disk.holdReads()
  const pc = rig.device(alice, 'pc')
  const second = rig.hand()
  phone.ack()
  await rig.store.committed()
  rig.disk.letReadsGo()
  await phone.ackAll()
  await pc.ackAll()
  for (const { id } of [first, second]) {
    t.same(pc.story(id), ['stored', 'delivered phone', 'delivered'])
  }
})

t.test('a subscription with QoS 0 gets what happens now, and nothing is kept', async (t) => {
  const rig = await Rig.open(t)
  const before = await rig.send()
  const screen = rig.device(alice, 'screen', { qos: 0 })
  const now = await rig.send()
  t.same(screen.story(before.id), [])
  t.same(screen.story(now.id), ['stored'])
  t.same(await rig.keys('box/receipts/'), [])
})

t.test('a crash while they are made makes them at the next subscription', async (t) => {
  const rig = await Rig.open(t)
  const { id } = await rig.send()
  rig.disk.holdReads()
  rig.device(alice, 'pc')
  await rig.turn()
  const next = await rig.crash()
  rig.disk.letReadsGo()
  const again = next.device(alice, 'pc')
  await again.ackAll()
  t.same(again.story(id), ['stored'])
})
