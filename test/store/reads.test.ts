import t from 'tap'
import { bytes, codeOf, Rig, text, turn } from './rig.ts'

const ALL = { gte: 'a/', lt: 'a0', limit: 100 }

function texts(pairs: [string, Uint8Array][]): Record<string, string | undefined> {
  return Object.fromEntries(pairs.map(([key, value]) => [key, text(value)]))
}

async function withThree(t: ConstructorParameters<typeof Rig>[0]) {
  const rig = new Rig(t)
  const store = await rig.start()
  for (const at of [1, 2, 3]) store.insert(`a/${at}`, bytes(`old ${at}`))
  store.insert('b/1', bytes('other'))
  await store.committed()
  return { rig, store }
}

t.test('a single key is read through what is not on disk yet', async (t) => {
  const { store } = await withThree(t)
  t.equal(text(store.get('a/1')), 'old 1')
  store.replace('a/1', bytes('new'))
  store.remove('a/2')
  store.insert('a/4', bytes('four'))
  t.same(
    ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].map((key) => text(store.get(key))),
    ['new', undefined, 'old 3', 'four', undefined],
  )
  const many = await store.getMany(['a/5', 'a/4', 'a/3', 'a/2', 'a/1', 'a/3'])
  t.same(many.map(text), [undefined, 'four', 'old 3', undefined, 'new', 'old 3'])
})

t.test('a scan gives committed keys in order, changed and removed as of its end', async (t) => {
  const { store } = await withThree(t)
  store.insert('a/0', bytes('not committed'))
  const scanning = store.scan(ALL)
  store.replace('a/1', bytes('new'))
  store.remove('a/2')
  t.same(texts(await scanning), { 'a/1': 'new', 'a/3': 'old 3' })
  await store.committed()
  t.same(Object.keys(texts(await store.scan(ALL))), ['a/0', 'a/1', 'a/3'])
})

t.test('a scan that is shorter than its limit has come to the end of the range', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  for (let at = 0; at < 500; at += 1) store.insert(`a/${String(at).padStart(3, '0')}`, bytes('x'))
  await store.committed()
  for (let at = 0; at < 490; at += 1) store.remove(`a/${String(at).padStart(3, '0')}`)
  const pairs = await store.scan({ ...ALL, limit: 5 })
  t.same(
    pairs.map(([key]) => key),
    ['a/490', 'a/491', 'a/492', 'a/493', 'a/494'],
  )
  t.equal((await store.scan(ALL)).length, 10)
})

t.test('a scan can go backwards', async (t) => {
  const { store } = await withThree(t)
  const pairs = await store.scan({ ...ALL, limit: 2, reverse: true })
  t.same(
    pairs.map(([key]) => key),
    ['a/3', 'a/2'],
  )
})

t.test('a commit that begins and ends during a read is seen by it', async (t) => {
  const { rig, store } = await withThree(t)
  rig.disk.holdReads()
  const scanning = store.scan(ALL)
  store.remove('a/1')
  store.replace('a/2', bytes('new'))
  await store.committed()
  store.remove('a/3')
  await store.committed()
  rig.disk.letReadsGo()
  t.same(texts(await scanning), { 'a/2': 'new' })
})

t.test('a read does not notice that LevelDB was opened again meanwhile', async (t) => {
  const { rig, store } = await withThree(t)
  rig.disk.failures.push('IO error: Input/output error')
  rig.disk.holdReads()
  const reading = [store.scan(ALL), store.getMany(['a/1', 'a/3'])] as const
  store.remove('a/2')
  await store.committed()
  rig.disk.letReadsGo()
  t.same(texts(await reading[0]), { 'a/1': 'old 1', 'a/3': 'old 3' })
  t.same((await reading[1]).map(text), ['old 1', 'old 3'])
})

t.test('single keys are read while LevelDB is being opened again', async (t) => {
  const { rig, store } = await withThree(t)
  rig.disk.failures.push('IO error: Input/output error')
  store.replace('a/1', bytes('new'))
  let isCommitted = false
  store.afterCommit(() => {
    isCommitted = true
  })
  store.flushSoon()
  while (!isCommitted) {
    t.equal(text(store.get('a/1')), 'new')
    t.equal(text(store.get('a/2')), 'old 2')
    await turn()
  }
})

t.test('a damaged value is never taken for an absent one', async (t) => {
  const { rig, store } = await withThree(t)
  rig.disk.damaged.add('a/2')
  t.equal(await codeOf(() => store.get('a/2')), 'STORE_DAMAGED')
  t.same(texts(await store.scan(ALL)), { 'a/1': 'old 1', 'a/3': 'old 3' })
  t.same((await store.getMany(['a/1', 'a/2'])).map(text), ['old 1', undefined])
  t.match(store.report.damages, [{ kind: 'pair', table: 'a', count: 1 }])
})

t.test('a read of a store that was stopped fails', async (t) => {
  const { store } = await withThree(t)
  await store.stop()
  await t.rejects(store.scan(ALL))
})
