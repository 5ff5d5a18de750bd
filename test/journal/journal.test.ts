import { decode, encode } from 'cborg'
import t from 'tap'
import { Journal } from '../../src/journal/journal.ts'
import type { Message } from '../../src/message/message.ts'
import { messageId } from '../../src/message/names.ts'
import { tableOf } from '../../src/store/keys.ts'
import { alice, bob, Rig } from '../delivery/rig.ts'

const MESSAGE: Message = {
  id: messageId('m1'),
  from: alice,
  to: bob,
  accepted: { atMs: 0, clock: 'none' },
  expiresAfterS: 60,
  qos: 1,
  payload: Buffer.from('text'),
}

/** A journal on the store of a rig, as another process would open it. */
async function reopened(rig: Rig): Promise<{ journal: Journal; states: Map<string, unknown> }> {
  const journal = new Journal(rig)
  const states = new Map<string, unknown>()
  for (const key of await rig.keys('entry/')) {
    const value = rig.store.get(key)
    if (tableOf(key) === 'entry' && value !== undefined) journal.visit(key, value)
  }
  journal.start('relay0.1', (kind, key, value) => states.set(`${kind} ${key}`, value))
  return { journal, states }
}

async function append(rig: Rig, text: string): Promise<number> {
  const seq = rig.journal.nextSeq()
  const { key, value } = rig.journal.messageWrite(seq, { ...MESSAGE, payload: Buffer.from(text) })
  rig.store.insert(key, value)
  await rig.store.committed()
  return seq
}

t.test('entries are read by number, in the order asked for', async (t) => {
  const rig = await Rig.open(t)
  const [one, two] = [await append(rig, 'one'), await append(rig, 'two')]
  const found = await rig.journal.read([two, 999, one])
  const texts = found.map((entry) =>
    entry?.kind === 'message' ? Buffer.from(entry.message.payload).toString() : undefined,
  )
  t.same(texts, ['two', undefined, 'one'])
  t.equal(rig.journal.has(one), true)
  t.equal(rig.journal.has(999), false)
})

t.test('a range is read from after a number, oldest first, up to a limit', async (t) => {
  const rig = await Rig.open(t)
  const [one, two, three] = [await append(rig, '1'), await append(rig, '2'), await append(rig, '3')]
  const seqs = async (after: number, limit: number) =>
    (await rig.journal.readSince(after, limit)).map(({ seq }) => seq)
  t.same(await seqs(one - 1, 10), [one, two, three])
  t.same(await seqs(one, 1), [two])
  t.same(await seqs(three, 10), [])
})

t.test('a removed entry is absent', async (t) => {
  const rig = await Rig.open(t)
  const [one, two] = [await append(rig, '1'), await append(rig, '2')]
  rig.journal.remove(one)
  rig.journal.removeIfThere(one)
  rig.journal.removeIfThere(two)
  t.same(await rig.journal.read([one, two]), [undefined, undefined])
  const next = await rig.crash()
  t.same(next.log.texts('error'), [], 'and counted as such')
})

t.test('an entry that is damaged on disk is there, and can be removed', async (t) => {
  const rig = await Rig.open(t)
  const seq = await append(rig, 'text')
  rig.disk.damaged.add((await rig.keys('entry/')).at(-1) ?? '')
  t.same(await rig.journal.read([seq]), [undefined])
  t.equal(rig.journal.has(seq), true)
  rig.journal.removeIfThere(seq)
  t.equal(rig.journal.has(seq), false)
})

t.test('numbers grow, over restarts and crashes', async (t) => {
  let rig = await Rig.open(t)
  let last = 0
  for (let run = 0; run < 4; run += 1) {
    const seq = await append(rig, 'text')
    t.ok(seq > last)
    last = seq
    if (run % 2 === 0) rig = await rig.crash()
    else await rig.restart()
  }
})

t.test('a number seen outside the journal is not handed out again', async (t) => {
  const rig = await Rig.open(t)
  rig.device(alice, 'pc')
  await rig.quiet()
  await rig.send()
  const [box = ''] = await rig.keys('box/receipts/')
  rig.store.remove('meta/times')
  await rig.store.committed()
  const next = await rig.crash()
  await next.send()
  const boxes = await next.keys('box/receipts/')
  t.equal(boxes.length, 2)
  t.equal(boxes[0], box)
})

t.test('stamps grow, although the wall clock goes back', async (t) => {
  const rig = await Rig.open(t)
  await append(rig, '1')
  rig.clock.jumpWall(-1e12)
  await append(rig, '2')
  await rig.restart()
  await append(rig, '3')
  const stamps = (await rig.journal.readSince(0, 100)).map(({ entry }) => entry.hlc)
  t.same(
    stamps,
    stamps.toSorted((a, b) => a - b),
  )
  t.equal(new Set(stamps).size, stamps.length)
})

t.test('of a state record only the newest version is kept', async (t) => {
  const rig = await Rig.open(t)
  const before = (await rig.keys('entry/')).length
  for (const value of ['old', 'newer', { newest: true }]) rig.journal.put('thing', 'a/b c', value)
  await rig.store.committed()
  rig.journal.put('thing', 'a/b c', { newest: true })
  t.equal((await rig.keys('entry/')).length, before + 1)
  const { states } = await reopened(rig)
  t.same(states.get('thing a/b c'), { newest: true })
})

t.test('a removed state record is gone, and its removal stays known', async (t) => {
  const rig = await Rig.open(t)
  const before = (await rig.keys('entry/')).length
  rig.journal.put('thing', 'x', 1)
  rig.journal.removeState('thing', 'x')
  t.equal((await rig.keys('entry/')).length, before + 1)
  const { states } = await reopened(rig)
  t.equal(states.has('thing x'), false)
  rig.journal.put('thing', 'x', 2)
  t.equal((await reopened(rig)).states.get('thing x'), 2)
})

t.test('an older version that damage brought back loses, and leaves', async (t) => {
  const rig = await Rig.open(t)
  rig.journal.put('thing', 'x', 'old')
  const key = (await rig.keys('entry/')).at(-1) ?? ''
  const bytes = rig.store.get(key)
  rig.journal.put('thing', 'x', 'new')
  await rig.store.committed()
  if (bytes !== undefined) rig.store.insert(key, bytes)
  const { states } = await reopened(rig)
  t.equal(states.get('thing x'), 'new')
  t.notOk((await rig.keys('entry/')).includes(key))
})

t.test('a state index that is missing or wrong is made again', async (t) => {
  const rig = await Rig.open(t)
  rig.journal.put('thing', 'x', 'one')
  const right = rig.store.get('state/thing/x')
  rig.store.remove('state/thing/x')
  await reopened(rig)
  t.same(rig.store.get('state/thing/x'), right)
  rig.store.replace('state/thing/x', encode(1))
  await reopened(rig)
  t.equal(
    decode(rig.store.get('state/thing/x') ?? new Uint8Array()),
    decode(right ?? new Uint8Array()),
  )
  t.equal(rig.log.texts('warn').length, 2)
  rig.journal.put('thing', 'x', 'two')
  t.equal((await reopened(rig)).states.get('thing x'), 'two')
})
