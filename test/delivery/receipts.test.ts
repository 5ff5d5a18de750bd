import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { messageId, userId } from '../../src/message/names.ts'
import { SteeredDisk } from '../support/steered-disk.ts'
import { alice, bob, Rig } from './rig.ts'

t.test('receipts come in order, each once, for each device and for all', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  const { id } = await rig.send()
  await pad.ackAll()
  await phone.ackAll()
  await pc.ackAll()
  t.same(pc.story(id), ['stored', 'delivered pad', 'delivered phone', 'delivered'])
  pc.leave()
  pc.come()
  await pc.ackAll()
  t.equal(pc.receipts.length, 4, 'what was acknowledged does not come again')
})

t.test('no receipt is ahead of the disk', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone')
  await rig.quiet()
  rig.disk.hold()
  const { id } = rig.hand()
  rig.store.flushSoon()
  await rig.disk.held()
  t.same(pc.receipts, [])
  rig.disk.letGo()
  await rig.quiet()
  t.same(pc.story(id), ['stored'])
  rig.disk.hold()
  phone.ack()
  rig.store.flushSoon()
  await rig.disk.held()
  t.same(pc.story(id), ['stored'])
  rig.disk.letGo()
  await rig.quiet()
  t.same(pc.story(id), ['stored', 'delivered phone', 'delivered'])
})

t.test('receipts wait for a sender who is away, and for each of its devices', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const pad = rig.device(alice, 'pad')
  pc.leave()
  pad.leave()
  const { id } = await rig.send()
  await rig.restart()
  for (const name of ['pc', 'pad']) {
    const device = rig.device(alice, name)
    await device.ackAll()
    t.same(device.story(id), ['stored'])
  }
  t.same(await rig.keys('box/receipts/'), [])
})

t.test('a receipt is JSON at the topic of its message', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  rig.clock.trust = 'none'
  const { id } = await rig.send()
  const [sent] = pc.sent
  t.equal(sent?.topic, `users/alice/receipts/bob/${id}`)
  t.equal(sent?.qos, 1)
  t.same(JSON.parse(Buffer.from(sent?.payload ?? []).toString()), {
    status: 'stored',
    at: '2026-06-01T00:00:00.000Z',
    clock: 'none',
  })
})

t.test('a receipt lives on while its box is swept between write and commit', async (t) => {
  const rig = await Rig.open(t)
  rig.disk.hold()
  const letter = rig.hand()
  await rig.disk.held()
  await rig.janitor.sweep()
  rig.disk.letGo()
  await rig.quiet()
  const pc = rig.device(alice, 'pc')
  await pc.ackAll()
  t.same(pc.story(letter.id), ['stored'])
})

t.test('the receipt of a message that the disk refused is taken back', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  await rig.quiet()
  rig.disk.failures.push('IO error: the card is gone')
  const { id, state } = await rig.send()
  t.match(state, { code: 'STORE_FAILED' })
  await pc.ackAll()
  t.same(pc.story(id), ['refused'])
  t.same(await rig.keys('box/'), [])
})

t.test('what a device had before the disk failed is told, and then the refusal', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone')
  rig.device(bob, 'pad')
  await rig.quiet()
  rig.disk.hold()
  const letter = rig.hand()
  rig.store.flushSoon()
  await rig.disk.held()
  phone.ack()
  rig.disk.failures.push('IO error: the card is gone')
  rig.disk.letGo()
  await pc.ackAll()
  t.match(letter.state, { code: 'STORE_FAILED' })
  t.same(pc.story(letter.id), ['delivered phone', 'refused'])
})

t.test('on a full disk a refusal is told to whoever is here, and not kept', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  rig.disk.failures.push(SteeredDisk.noSpace)
  await rig.send()
  const { id } = await rig.send()
  t.match(pc.sent.at(-1), { qos: 0 })
  t.same(pc.story(id), ['refused'])
  t.same(await rig.keys('box/receipts/'), [])
})

t.test('receipts are kept up to their bound, and further ones are only told', async (t) => {
  const rig = await Rig.open(t)
  const box = rig.mailboxes.of('receipts', alice)
  const item = {
    bytes: 0,
    deadlineMs: 1e15,
    from: alice,
    id: messageId('x'),
    acks: [],
    received: [],
  }
  while (box.messages < LIMITS.receiptsMax - 1) box.restore(1, item)
  const nobody = userId('nobody')
  await rig.send({}, alice, nobody)
  t.equal(box.messages, LIMITS.receiptsMax)
  t.equal((await rig.keys('box/receipts/')).length, 1)
  t.match((await rig.send({}, alice, nobody)).state, { code: 'NOT_FOUND' })
  t.match((await rig.send()).state, { code: 'RECEIPTS_FULL' })
  t.equal(box.messages, LIMITS.receiptsMax)
  t.equal((await rig.keys('box/receipts/')).length, 1)
})

t.test('a receipt that nobody takes leaves after its time', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  await rig.quiet()
  pc.leave()
  await rig.send()
  await rig.pass(LIMITS.expiresAfterSMax * 1000)
  // The message has expired now as well, which is told for as long again.
  t.equal(rig.mailboxes.of('receipts', alice).messages, 1)
  await rig.pass(LIMITS.expiresAfterSMax * 1000)
  t.equal(rig.mailboxes.of('receipts', alice).messages, 0)
  t.same(await rig.keys('box/'), [])
})
