import type { Test } from 'tap'
import t from 'tap'
import { mend } from '../../src/delivery/mend.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

const DELIVERED = { keepsPayloads: false }

/** A post office with one message that waits, and the keys that belong to it. */
async function withMessage(t: Test) {
  const rig = await Rig.open(t)
  await rig.send({ id: messageId('first'), payload: 'text' })
  const [box = ''] = await rig.keys('box/inbox/bob/')
  const entry = box.replace('box/inbox/bob', 'entry/relay0.1')
  return { rig, box, entry, record: 'record/alice/bob/first' }
}

/** The store loses keys, as damage would have it, and is opened and mended. */
async function lose(rig: Rig, ...keys: string[]) {
  for (const key of keys) rig.store.remove(key)
  await rig.restart()
  return mend(rig, DELIVERED)
}

/** What alice is told of the message, and what bob gets of it. */
async function outcome(rig: Rig): Promise<{ story: string[]; texts: string[] }> {
  const pc = rig.device(alice, 'pc')
  const phone = rig.device(bob, 'phone')
  await phone.ackAll()
  await pc.ackAll()
  return { story: pc.story('first'), texts: phone.texts }
}

const DELIVERED_STORY = ['stored', 'delivered phone', 'delivered']

t.test('a store without damage is left as it is', async (t) => {
  const { rig } = await withMessage(t)
  const keys = await rig.keys('')
  t.same(await lose(rig), { restored: 0, lost: 0, dropped: 0 })
  t.same(
    (await rig.keys('')).filter((key) => key !== 'meta/times'),
    keys.filter((key) => key !== 'meta/times'),
  )
})

t.test('an entry without its box is put back', async (t) => {
  const { rig, box } = await withMessage(t)
  t.same(await lose(rig, box), { restored: 1, lost: 0, dropped: 0 })
  t.match(rig.counts.ledger, { accepted: 1, queued: 1 })
  t.same(await outcome(rig), { story: DELIVERED_STORY, texts: ['text'] })
  t.match(rig.counts.ledger, { accepted: 1, delivered: 1, queued: 0 })
})

t.test('an entry without box and record is put back', async (t) => {
  const { rig, box, record } = await withMessage(t)
  t.same(await lose(rig, box, record), { restored: 1, lost: 0, dropped: 0 })
  t.equal((await rig.send({ id: messageId('first') })).state, 'accepted')
  t.match(rig.counts.ledger, { accepted: 1, queued: 1 }, 'a retry is known again')
  t.same(await outcome(rig), { story: DELIVERED_STORY, texts: ['text'] })
})

t.test('a box without its entry is lost, and the sender is told', async (t) => {
  const { rig, entry } = await withMessage(t)
  t.same(await lose(rig, entry), { restored: 0, lost: 1, dropped: 0 })
  t.same(await outcome(rig), { story: ['stored', 'expired'], texts: [] })
  t.match(rig.counts.ledger, { accepted: 1, expired: 1, queued: 0 })
})

t.test('a record without box and entry is lost, and the sender is told', async (t) => {
  const { rig, box, entry } = await withMessage(t)
  t.same(await lose(rig, box, entry), { restored: 0, lost: 1, dropped: 0 })
  t.same(await outcome(rig), { story: ['stored', 'expired'], texts: [] })
  t.match(rig.counts.ledger, { accepted: 1, expired: 1, queued: 0 })
  t.match(await rig.inquiry.list({ limit: 9 }), [{ id: 'first', status: 'expired' }])
})

t.test('a box without entry and record is lost, and the sender is told', async (t) => {
  const { rig, entry, record } = await withMessage(t)
  t.same(await lose(rig, entry, record), { restored: 0, lost: 1, dropped: 0 })
  t.same(await outcome(rig), { story: ['stored', 'expired'], texts: [] })
})

t.test('box and entry without their record are delivered', async (t) => {
  const { rig, record } = await withMessage(t)
  t.same(await lose(rig, record), { restored: 0, lost: 0, dropped: 0 })
  t.equal((await rig.send({ id: messageId('first') })).state, 'accepted')
  t.match(rig.counts.ledger, { accepted: 1, queued: 1 }, 'a retry is known again')
  t.same(await outcome(rig), { story: DELIVERED_STORY, texts: ['text'] })
})

t.test('the entry of a delivered message that came back is dropped', async (t) => {
  const { rig, entry } = await withMessage(t)
  const bytes = rig.store.get(entry)
  t.same((await outcome(rig)).texts, ['text'])
  if (bytes !== undefined) rig.store.insert(entry, bytes)
  t.same(await lose(rig), { restored: 0, lost: 0, dropped: 1 })
  t.equal(rig.store.has(entry), false)
  const again = rig.device(bob, 'pad')
  await again.ackAll()
  t.same(again.texts, [])
})

t.test('the entry of a delivered message that is kept on purpose stays', async (t) => {
  const rig = await Rig.open(t, { keepsPayloads: true })
  const phone = rig.device(bob, 'phone')
  rig.hand()
  await phone.ackAll()
  await rig.pass(100 * 86_400_000)
  await rig.restart()
  t.same(await mend(rig, { keepsPayloads: true }), { restored: 0, lost: 0, dropped: 0 })
  const again = rig.device(bob, 'phone')
  await again.ackAll()
  t.same(again.ids, [])
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
})

t.test('what is put back reaches devices that had gone on beyond it', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  pad.leave()
  const first = await rig.send()
  const second = await rig.send()
  phone.ack()
  await rig.quiet()
  phone.leave()
  t.same(await rig.keys('cursor/'), ['cursor/inbox/bob/phone'])
  const [box = ''] = await rig.keys('box/inbox/bob/')
  t.match(await lose(rig, box), { restored: 1 })
  for (const name of ['phone', 'pad']) await rig.device(bob, name).ackAll()
  t.match(rig.counts.ledger, { delivered: 2, queued: 0 })
  t.same(rig.devices.at(-1)?.ids, [first.id, second.id])
})

t.test('what is put back expires when its record says, or may wait once more', async (t) => {
  const { rig, box, record } = await withMessage(t)
  await rig.send({ id: messageId('short'), expiresAfterS: 60 })
  await rig.send({ id: messageId('again'), expiresAfterS: 60 })
  await rig.pass(59_000)
  const [, ...boxes] = await rig.keys('box/inbox/bob/')
  await lose(rig, box, record, ...boxes, 'record/alice/bob/again')
  await rig.pass(1_000)
  t.match(rig.counts.ledger, { queued: 2, expired: 1 })
  await rig.pass(58_999)
  t.match(rig.counts.ledger, { queued: 2, expired: 1 })
  await rig.pass(1)
  t.match(rig.counts.ledger, { queued: 1, expired: 2 })
})

t.test('mending twice is mending once', async (t) => {
  const { rig, box } = await withMessage(t)
  await lose(rig, box)
  t.same(await mend(rig, DELIVERED), { restored: 0, lost: 0, dropped: 0 })
  const next = await rig.crash()
  t.match(next.counts.ledger, { accepted: 1, queued: 1 })
})

t.test('more than a page of everything is mended', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < 1_100; at += 1) rig.hand()
  await rig.quiet()
  const boxes = await rig.keys('box/inbox/bob/')
  const entries = boxes.slice(0, 550).map((box) => box.replace('box/inbox/bob', 'entry/relay0.1'))
  t.same(await lose(rig, ...entries, ...boxes.slice(550)), { restored: 550, lost: 550, dropped: 0 })
  t.match(rig.counts.ledger, { accepted: 1_100, queued: 550, expired: 550 })
})
