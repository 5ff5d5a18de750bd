import { cpSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { Store } from '../../src/store/store.ts'
import { bytes, codeOf, KeptWaiter, Rig, text, turn } from './rig.ts'

t.test('what was written is there after a restart, visited in key order', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  store.insert('b/1', bytes('b'))
  store.insert('a/2', bytes('two'))
  store.insert('a/1', bytes('one'))
  await store.stop()
  const visited = new Map<string, string>()
  const again = await rig.start(visited)
  t.same(
    [...visited],
    [
      ['a/1', 'one'],
      ['a/2', 'two'],
      ['b/1', 'b'],
    ],
  )
  t.equal(text(again.get('a/2')), 'two')
  t.same(again.report.damages, [])
})

t.test('any prefix of the commits is a valid store: the picture of a kill', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  for (let commit = 1; commit <= 8; commit += 1) {
    store.insert(`a/${commit}`, bytes(`a ${commit}`))
    store.insert(`b/${commit}`, bytes(`b ${commit}`))
    if (commit > 1) store.remove(`a/${commit - 1}`)
    await store.committed()
    const picture = new Rig(t, `${rig.path}-${commit}`)
    cpSync(rig.path, picture.path, { recursive: true })
    const visited = new Map<string, string>()
    const copy = await picture.start(visited)
    t.equal(visited.size, 1 + commit)
    t.equal(visited.get(`a/${commit}`), `a ${commit}`)
    t.same(copy.report.damages, [])
    t.notOk(copy.report.wasClosed)
    await copy.stop()
  }
})

t.test('starting and stopping twice is the same as once', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  await store.start(() => t.fail('visited twice'))
  store.insert('a/1', bytes('one'))
  await Promise.all([store.stop(), store.stop()])
  await store.stop()
  const visited: string[] = []
  await store.start((key) => visited.push(key))
  t.same(visited, ['a/1'])
})

t.test('put looks whether the key is there', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  store.put('a/1', bytes('one'))
  store.put('a/1', bytes('two'))
  await store.committed()
  store.put('a/1', bytes('three'))
  store.remove('a/1')
  store.put('a/1', bytes('four'))
  await store.stop()
  const again = await rig.start()
  t.equal(text(again.get('a/1')), 'four')
  t.same(again.report.damages, [])
})

t.test('an offer is committed with what was written in the same turn', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  const waiter = new KeptWaiter()
  store.offer(
    [
      { key: 'a/1', value: bytes('one') },
      { key: 'a/2', value: bytes('two') },
    ],
    waiter,
  )
  store.insert('a/3', bytes('three'))
  await store.committed()
  t.equal(waiter.told, 'committed')
  t.equal(store.stats.commits, 1)
})

t.test(
  'an offer can be withdrawn as long as it is gathered, and then was never written',
  async (t) => {
    const rig = new Rig(t)
    const store = await rig.start()
    const waiter = new KeptWaiter()
    const offer = store.offer([{ key: 'a/1', value: bytes('one') }], waiter)
    t.equal(text(store.get('a/1')), 'one')
    t.ok(store.withdraw(offer))
    t.equal(store.get('a/1'), undefined)
    t.notOk(store.withdraw(offer), 'only once')
    await store.committed()
    t.match(store.stats, { commits: 0, withdrawn: 1 })
    t.equal(waiter.told, '')
  },
)

t.test('an offer on its way to the disk, or there, cannot be withdrawn', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  rig.disk.hold()
  const waiter = new KeptWaiter()
  const offer = store.offer([{ key: 'a/1', value: bytes('one') }], waiter)
  const isHeld = rig.disk.held()
  store.flushSoon()
  await isHeld
  t.notOk(store.withdraw(offer))
  rig.disk.letGo()
  await store.committed()
  t.notOk(store.withdraw(offer))
  t.equal(waiter.told, 'committed')
})

t.test('a refused offer cannot be withdrawn, and its owner is told', async (t) => {
  const rig = new Rig(t)
  rig.disk.freeBytes = 0
  const store = await rig.start()
  const waiter = new KeptWaiter()
  const offer = store.offer([{ key: 'a/1', value: bytes('one') }], waiter)
  t.notOk(store.withdraw(offer))
  await turn()
  t.equal(waiter.told, 'DISK_FULL')
  t.equal(store.get('a/1'), undefined)
})

t.test('more than may wait for the disk is refused, up to there it is not', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  const value = new Uint8Array(LIMITS.pendingBytesMax)
  const waiters = [new KeptWaiter(), new KeptWaiter()] as const
  store.offer([{ key: 'a/1', value }], waiters[0])
  store.offer([{ key: 'a/2', value: bytes('two') }], waiters[1])
  await store.committed()
  t.same([waiters[0].told, waiters[1].told], ['committed', 'STORE_FAILED'])
})

t.test(
  'who waits is told when all written so far is on disk, also where nothing was',
  async (t) => {
    const rig = new Rig(t)
    const store = await rig.start()
    await store.committed()
    t.equal(store.stats.commits, 0)
    const order: string[] = []
    store.insert('a/1', bytes('one'))
    store.afterCommit(() => order.push(`after ${store.stats.commits}`))
    await store.committed()
    store.afterCommit(() => order.push('nothing to wait for'))
    await turn()
    t.same(order, ['after 1', 'nothing to wait for'])
  },
)

t.test('two processes cannot have the same store', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  t.equal(await codeOf(() => rig.start()), 'STORE_LOCKED')
  store.insert('a/1', bytes('one'))
  await store.stop()
  t.same(await rig.contents(), { 'a/1': 'one' })
})

t.test('its folder is for its owner alone, and nothing foreign is used in its place', async (t) => {
  const rig = new Rig(t)
  await (await rig.start()).stop()
  t.equal(statSync(rig.path).mode & 0o777, 0o700)
  t.equal(statSync(join(rig.path, 'marks')).mode & 0o777, 0o600)
  for (const name of ['marks', 'reserve', 'lock', 'pairs-1']) {
    const path = `${rig.path}-${name}`
    mkdirSync(path)
    symlinkSync('/nowhere', join(path, name))
    const { clock, log, disk } = rig
    const store = new Store({ clock, log, disk }, { path })
    t.equal(await codeOf(() => store.start(() => undefined)), 'STORE_FAILED', name)
  }
})

t.test('a store that could not be started can be started later', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  const { clock, log, disk } = rig
  const second = new Store({ clock, log, disk }, { path: rig.path })
  t.equal(await codeOf(() => second.start(() => undefined)), 'STORE_LOCKED')
  await store.stop()
  await second.start(() => undefined)
  await second.stop()
  t.notOk(readdirSync(rig.path).some((name) => /^(gone|salvage|damaged)-/.test(name)))
})
