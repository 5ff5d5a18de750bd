import t from 'tap'
import { decodeRecord } from '../../src/mailbox/record.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

const record = (rig: Rig, id: string) => {
  const value = rig.store.get(`record/alice/bob/${id}`)
  return value === undefined ? undefined : decodeRecord(value)
}

t.test('the final record names every device and its time', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  const { id } = await rig.send({ payload: 'twelve bytes' })
  t.match(record(rig, id), { status: 'stored', settledMs: 0, bytes: 12, events: [] })
  await rig.pass(1_000)
  await phone.ackAll()
  await rig.pass(2_000)
  await pad.ackAll()
  const atMs = Date.UTC(2026, 5, 1)
  t.match(record(rig, id), {
    status: 'delivered',
    settledMs: 3_000,
    accepted: { atMs, clock: 'ntp' },
    events: [
      { what: 'delivered', device: 'phone', at: { atMs: atMs + 1_000 } },
      { what: 'delivered', device: 'pad', at: { atMs: atMs + 3_000 } },
    ],
  })
})

t.test('what settles in the first moment of a store is settled', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const { id } = await rig.send()
  await phone.ackAll()
  t.equal(rig.journal.ageMs(), 0)
  t.equal(record(rig, id)?.settledMs, 1)
})

t.test('an expired record says why, and who had it', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  rig.device(bob, 'pad')
  const { id } = await rig.send({ expiresAfterS: 1 })
  await phone.ackAll()
  rig.post.read(alice, bob, messageId(id), () => undefined)
  await rig.pass(1_000)
  t.match(record(rig, id), {
    status: 'expired',
    events: [
      { what: 'delivered', device: 'phone' },
      { what: 'read' },
      { what: 'expired', reason: /\w/ },
    ],
  })
})

t.test('a message read before all devices have it ends as read', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  const { id } = await rig.send()
  await phone.ackAll()
  rig.post.read(alice, bob, messageId(id), () => undefined)
  await pad.ackAll()
  t.match(record(rig, id), { status: 'read' })
})

t.test('a message read before its commit keeps that in its record', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.quiet()
  const { id } = rig.hand()
  rig.post.read(alice, bob, messageId(id), () => undefined)
  phone.ack()
  await rig.quiet()
  t.match(record(rig, id), { status: 'read', events: [{ what: 'delivered' }, { what: 'read' }] })
})

t.test('after it nothing but the record is left', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone')
  const before = (await rig.keys('entry/')).length
  const { id } = await rig.send()
  t.equal((await rig.keys('entry/')).length, before + 1)
  await phone.ackAll()
  await pc.ackAll()
  t.equal((await rig.keys('entry/')).length, before)
  t.same(await rig.keys('box/'), [])
  t.same(await rig.keys('record/'), [`record/alice/bob/${id}`])
  const next = await rig.crash()
  t.same(next.log.texts('error'), [], 'the store counts the same')
})

t.test('a device that is forgotten has no name in a story any more', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const { id } = await rig.send()
  rig.device(bob, 'pad').leave()
  await phone.ackAll()
  rig.roster.removeUser(bob)
  await rig.post.userRemoved(bob)
  const [first] = record(rig, id)?.events ?? []
  t.equal(first?.what, 'delivered')
  t.equal(first?.device, undefined)
})
