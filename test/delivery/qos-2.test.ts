/** Deliveries with QoS 2 (MQTT 4.3.3): once on the wire, over reconnects and crashes. */
import t from 'tap'
import { alice, bob, Rig } from './rig.ts'

async function withDelivery(t: Parameters<typeof Rig.open>[0]) {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone', { qos: 2 })
  const letter = await rig.send({ qos: 2 })
  const packetId = phone.sent[0]?.packetId ?? 0
  return { rig, pc, phone, letter, packetId }
}

t.test('it goes out only when it is on disk', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone', { qos: 2 })
  await rig.quiet()
  rig.disk.hold()
  rig.hand({ qos: 2 })
  await rig.disk.held()
  t.same(phone.sent, [])
  rig.disk.letGo()
  await rig.quiet()
  t.match(phone.sent, [{ qos: 2, isDuplicate: false }])
})

t.test('PUBREC is on disk before PUBREL goes out', async (t) => {
  const { rig, phone, packetId } = await withDelivery(t)
  rig.disk.hold()
  phone.received(packetId)
  await rig.disk.held()
  t.same(phone.released, [])
  rig.disk.letGo()
  await rig.quiet()
  t.same(phone.released, [packetId])
  t.match(rig.counts.ledger, { delivered: 0, queued: 1 })
})

t.test('PUBCOMP ends it, and the receipt follows', async (t) => {
  const { rig, pc, phone, letter, packetId } = await withDelivery(t)
  phone.received(packetId)
  await rig.quiet()
  await phone.ackAll()
  await pc.ackAll()
  t.same(pc.story(letter.id), ['stored', 'delivered phone', 'delivered'])
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
})

t.test('a session that is resumed goes on with PUBREL', async (t) => {
  const { rig, phone, packetId } = await withDelivery(t)
  phone.received(packetId)
  await rig.quiet()
  phone.leave()
  phone.come()
  await rig.quiet()
  t.same(phone.released, [packetId, packetId])
  t.equal(phone.sent.length, 1, 'the message is not sent again')
  phone.session.completed(packetId)
  await rig.quiet()
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
})

t.test('also after a crash', async (t) => {
  const { rig, phone, packetId } = await withDelivery(t)
  phone.received(packetId)
  await rig.quiet()
  const next = await rig.crash()
  const again = next.device(bob, 'phone', { qos: 2 })
  await next.quiet()
  t.same(again.released, [packetId])
  t.same(again.sent, [])
  again.session.completed(packetId)
  await next.quiet()
  t.match(next.counts.ledger, { delivered: 1, queued: 0 })
})

t.test('without PUBREC it is sent again under the same identifier', async (t) => {
  const { rig, phone, packetId } = await withDelivery(t)
  phone.leave()
  phone.come()
  await rig.quiet()
  t.match(phone.sent, [{}, { packetId, isDuplicate: true, qos: 2 }])
})

t.test('a client that has forgotten its session has it, and is done', async (t) => {
  const { rig, pc, phone, letter, packetId } = await withDelivery(t)
  phone.received(packetId)
  await rig.quiet()
  phone.leave()
  phone.isResumed = false
  phone.come()
  await rig.quiet()
  t.equal(phone.sent.length, 1)
  t.same(phone.released, [packetId])
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
  await pc.ackAll()
  t.same(pc.story(letter.id), ['stored', 'delivered phone', 'delivered'])
})

t.test('an identifier that nobody knows is released all the same', async (t) => {
  const { rig, phone } = await withDelivery(t)
  phone.received(0x9999)
  await rig.quiet()
  t.same(phone.released, [0x9999])
})

t.test('PUBREC twice is one', async (t) => {
  const { rig, phone, packetId } = await withDelivery(t)
  phone.received(packetId)
  phone.received(packetId)
  await rig.quiet()
  t.same(phone.released, [packetId, packetId])
  phone.session.completed(packetId)
  phone.session.completed(packetId)
  await rig.quiet()
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
})

t.test('what expires between PUBREC and PUBCOMP is told as expired, once', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone', { qos: 2 })
  const letter = await rig.send({ qos: 2, expiresAfterS: 5 })
  const packetId = phone.sent[0]?.packetId ?? 0
  phone.received(packetId)
  await rig.pass(5_000)
  phone.session.completed(packetId)
  await pc.ackAll()
  t.same(pc.story(letter.id), ['stored', 'expired'])
  t.match(rig.counts.ledger, { delivered: 0, expired: 1, queued: 0 })
})
