import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { alice, bob, Rig } from './rig.ts'

const ALL = { filter: 'users/bob/inbox/#', qos: 1 } as const

/** A backlog of `count` for bob, whose phone is away. */
async function withBacklog(t: Parameters<typeof Rig.open>[0], count: number, payload = 'hello') {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone', { filters: [ALL] })
  phone.leave()
  const sent: string[] = []
  for (let at = 0; at < count; at += 1) sent.push(rig.hand({ payload }).id)
  await rig.quiet()
  return { rig, phone, sent }
}

t.test('the window is full at its bound, and moves with each acknowledgement', async (t) => {
  const { rig, phone, sent } = await withBacklog(t, LIMITS.inFlightPerDeviceMax + 1)
  phone.come()
  await rig.quiet()
  t.same(phone.ids, sent.slice(0, LIMITS.inFlightPerDeviceMax))
  phone.ack(1)
  await rig.quiet()
  t.same(phone.ids, sent)
})

t.test('a backlog of several pages comes in order and without gaps', async (t) => {
  const { rig, phone, sent } = await withBacklog(t, 3 * LIMITS.drainReadMax + 1)
  phone.come()
  await rig.quiet()
  while (phone.ack(7) > 0) await rig.quiet()
  t.same(phone.ids, sent)
  t.match(rig.counts.ledger, { delivered: sent.length, queued: 0 })
})

t.test('no more bytes are read ahead than allowed, but at least one message', async (t) => {
  const payload = 'x'.repeat(LIMITS.payloadBytesMax)
  const { rig, phone, sent } = await withBacklog(t, 5, payload)
  const reads: number[] = []
  const read = rig.journal.read.bind(rig.journal)
  rig.journal.read = (seqs) => {
    reads.push(seqs.length)
    return read(seqs)
  }
  phone.come()
  await phone.ackAll()
  t.same(phone.ids, sent)
  t.same(reads.slice(0, 2), [2, 2])
  t.ok(LIMITS.payloadBytesMax * 3 > LIMITS.drainReadBytesMax)
})

t.test('mail that arrives during the backlog comes after it', async (t) => {
  const { rig, phone, sent } = await withBacklog(t, LIMITS.inFlightPerDeviceMax)
  phone.come()
  sent.push(rig.hand().id)
  await rig.quiet()
  sent.push(rig.hand().id)
  await phone.ackAll()
  sent.push(rig.hand().id)
  await phone.ackAll()
  t.same(phone.ids, sent)
})

t.test('devices at different speeds see one another’s acknowledgements', async (t) => {
  const { rig, phone: slow, sent } = await withBacklog(t, 0)
  const fast = rig.device(bob, 'fast', { filters: [ALL] })
  fast.leave()
  for (let at = 0; at < 150; at += 1) sent.push(rig.hand().id)
  await rig.quiet()
  slow.come()
  await rig.quiet()
  slow.ack(1)
  await rig.quiet()
  // The slow one has read ahead what the fast one acknowledges now.
  fast.come()
  await fast.ackAll()
  await slow.ackAll()
  t.same(fast.ids, sent)
  t.same(slow.ids, sent)
  t.match(rig.counts.ledger, { accepted: 150, delivered: 150, queued: 0 })
})

t.test('what expires while it waits in the window is not sent', async (t) => {
  const { rig, phone } = await withBacklog(t, LIMITS.inFlightPerDeviceMax)
  const late = await rig.send({ expiresAfterS: 5 })
  const last = await rig.send()
  phone.come()
  await rig.quiet()
  phone.ack(1)
  phone.leave()
  phone.come()
  await rig.quiet()
  await rig.pass(5_000)
  await phone.ackAll()
  t.ok(phone.ids.includes(last.id))
  t.equal(phone.ids.filter((id) => id === late.id).length <= 1, true)
  t.match(rig.counts.ledger, { expired: 1, queued: 0 })
})

t.test('a narrow filter leaves the rest, and a wider one brings it', async (t) => {
  const { rig, phone } = await withBacklog(t, 0)
  const other = await rig.send({}, bob)
  const wanted = await rig.send({}, alice)
  phone.come([{ filter: 'users/bob/inbox/alice/#', qos: 1 }])
  await phone.ackAll()
  t.same(phone.ids, [wanted.id])
  t.match(rig.counts.ledger, { delivered: 1, queued: 1 })
  phone.subscribe([{ filter: 'users/bob/inbox/alice/#', qos: 1 }, ALL])
  await phone.ackAll()
  t.same(phone.ids, [wanted.id, other.id])
  t.match(rig.counts.ledger, { delivered: 2, queued: 0 })
})

t.test('the rest comes also when the filter widens in the middle of a read', async (t) => {
  const { rig, phone } = await withBacklog(t, 0)
  const other = await rig.send({}, bob)
  for (let at = 0; at < 150; at += 1) rig.hand()
  await rig.quiet()
  phone.come([{ filter: 'users/bob/inbox/alice/#', qos: 1 }])
  await rig.quiet()
  rig.disk.holdReads()
  phone.ack()
  phone.subscribe([ALL])
  rig.disk.letReadsGo()
  await phone.ackAll()
  t.ok(phone.ids.includes(other.id))
  t.equal(phone.ids.length, 151)
  t.match(rig.counts.ledger, { queued: 0 })
})

t.test('what a narrow filter left waits over reconnects and restarts', async (t) => {
  const { rig, phone } = await withBacklog(t, 0)
  const other = await rig.send({}, bob)
  await rig.send({}, alice)
  phone.come([{ filter: 'users/bob/inbox/alice/#', qos: 1 }])
  await phone.ackAll()
  await rig.restart()
  const again = rig.device(bob, 'phone', { filters: [ALL] })
  await again.ackAll()
  t.same(again.ids, [other.id])
})

t.test('mail that lost its bytes while the relay runs expires, the rest comes', async (t) => {
  const { rig, phone } = await withBacklog(t, 3)
  const pc = rig.device(alice, 'pc')
  const [, second = ''] = await rig.keys('box/inbox/bob/')
  rig.disk.damaged.add(second.replace('box/inbox/bob', 'entry/relay0.1'))
  phone.come()
  await phone.ackAll()
  t.same(phone.ids, ['m1', 'm3'])
  await pc.ackAll()
  t.same(pc.story('m2'), ['stored', 'expired'])
  t.match(rig.counts.ledger, { accepted: 3, delivered: 2, expired: 1, queued: 0 })
  t.match(await rig.inquiry.list({ limit: 9 }), [{}, { id: 'm2', status: 'expired' }, {}])
  t.match(rig.store.report.damages, [{ kind: 'pair', table: 'entry' }])
})

t.test('a place in the box that is damaged on disk holds up nobody', async (t) => {
  const { rig, phone } = await withBacklog(t, 3)
  const [, second = ''] = await rig.keys('box/inbox/bob/')
  rig.disk.damaged.add(second)
  phone.come()
  await phone.ackAll()
  t.same(phone.ids, ['m1', 'm3'])
  t.match(rig.store.report.damages, [{ kind: 'pair', table: 'box' }])
})

t.test('a box that cannot be read is read again a little later', async (t) => {
  const { rig, phone, sent } = await withBacklog(t, 2)
  const read = rig.journal.read.bind(rig.journal)
  rig.journal.read = () => Promise.reject(new Error('the disk is away'))
  phone.come()
  await rig.quiet()
  t.same(phone.ids, [])
  t.match(rig.log.texts('error'), [/could not be read/])
  rig.journal.read = read
  rig.clock.advance(LIMITS.drainRetryMs - 1)
  await rig.quiet()
  t.same(phone.ids, [])
  rig.clock.advance(1)
  await rig.quiet()
  t.same(phone.ids, sent)
})

t.test('a connection that ends in the middle of a read gets nothing more', async (t) => {
  const { rig, phone } = await withBacklog(t, 2)
  phone.come()
  phone.leave()
  await rig.quiet()
  t.same(phone.sent, [])
})
