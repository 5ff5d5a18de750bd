import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import type { MessageRecord } from '../../src/mailbox/record.ts'
import { recordKey } from '../../src/mailbox/record.ts'
import type { Records } from '../../src/mailbox/records.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from '../delivery/rig.ts'

const RECORD: MessageRecord = {
  status: 'stored',
  seq: 7,
  accepted: { atMs: Date.UTC(2026, 5, 1), clock: 'ntp' },
  bytes: 5,
  deadlineMs: 1_000,
  settledMs: 0,
  events: [],
}

const key = (id: string, from = alice) => recordKey(from, bob, messageId(id))

/** Fills the filter of these records with keys that nobody asks for. */
function fill(records: Records): void {
  // Some meet bits that others have set, and do not count.
  const count = 1.05 * LIMITS.keyFilterKeysMax
  for (let n = 0; n < count; n += 1) records.visit(`record/x/y/${n}`)
}

async function idsOf(records: Records, prefix?: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { key } of records.all(prefix)) ids.push(key.id)
  return ids
}

t.test('a new message is known from the moment that it is written', async (t) => {
  const { store, records } = await Rig.open(t)
  t.equal(records.get(key('m1')), undefined)
  const write = records.write(key('m1'), RECORD)
  store.insert(write.key, write.value)
  t.strictSame(records.get(key('m1')), RECORD)
  await store.committed()
  t.strictSame(records.get(key('m1')), RECORD)
  records.put(key('m1'), { ...RECORD, status: 'delivered' })
  t.match(records.get(key('m1')), { status: 'delivered' })
})

t.test('a message that was never here costs no look at the store', async (t) => {
  const { store, records } = await Rig.open(t)
  let looks = 0
  const get = store.get.bind(store)
  store.get = (key) => {
    looks += 1
    return get(key)
  }
  records.put(key('m1'), RECORD)
  for (let n = 0; n < 1_000; n += 1) records.get(key(`other-${n}`))
  t.equal(looks, 0)
  t.strictSame(records.get(key('m1')), RECORD)
  t.equal(looks, 1)
})

t.test('the record of a message that never waited on disk costs no look either', async (t) => {
  const { store, records } = await Rig.open(t)
  store.has = () => t.fail('a look')
  records.insert(key('m1'), RECORD)
  await store.committed()
  records.replace(key('m1'), { ...RECORD, status: 'delivered' })
  t.match(records.get(key('m1')), { status: 'delivered' })
})

t.test('what was stored before is known after a start', async (t) => {
  const rig = await Rig.open(t)
  rig.records.put(key('m1'), RECORD)
  await rig.restart()
  t.strictSame(rig.records.get(key('m1')), RECORD)
})

t.test('all are listed, or those of one sender', async (t) => {
  const { store, records } = await Rig.open(t)
  records.put(key('m1'), RECORD)
  records.put(key('m2', bob), RECORD)
  await store.committed()
  t.same(await idsOf(records), ['m1', 'm2'])
  t.same(await idsOf(records, 'record/bob/'), ['m2'])
})

t.test('a sweep removes what is not needed', async (t) => {
  const { store, records } = await Rig.open(t)
  records.put(key('m1'), RECORD)
  records.put(key('m2'), { ...RECORD, settledMs: 1 })
  await store.committed()
  await records.sweep(({ settledMs }) => settledMs === 0)
  t.same(await idsOf(records), ['m1'])
  t.equal(records.get(key('m2')), undefined)
})

t.test('a full filter is made anew, and knows what is on its way meanwhile', async (t) => {
  const rig = await Rig.open(t)
  const { store, records, disk } = rig
  records.put(key('old'), RECORD)
  records.put(key('gone'), { ...RECORD, settledMs: 1 })
  await store.committed()
  fill(records)
  records.put(key('before'), RECORD)
  disk.holdReads()
  const sweep = records.sweep(({ settledMs }) => settledMs === 0)
  await store.committed()
  records.put(key('during'), RECORD)
  await store.committed()
  disk.letReadsGo()
  await sweep
  for (const id of ['old', 'before', 'during']) t.strictSame(records.get(key(id)), RECORD, id)
  let looks = 0
  store.get = () => {
    looks += 1
    return undefined
  }
  for (let n = 0; n < 1_000; n += 1) records.get(key(`other-${n}`))
  t.equal(looks, 0, 'the keys that filled it are forgotten')
})

t.test('a sweep that fails leaves the filter as it was', async (t) => {
  const { store, records } = await Rig.open(t)
  records.put(key('m1'), RECORD)
  await store.committed()
  fill(records)
  const scan = store.scan.bind(store)
  store.scan = () => Promise.reject(new Error('the disk is away'))
  await t.rejects(
    records.sweep(() => true),
    { message: 'the disk is away' },
  )
  store.scan = scan
  t.strictSame(records.get(key('m1')), RECORD)
  await records.sweep(() => true)
  t.strictSame(records.get(key('m1')), RECORD)
})
