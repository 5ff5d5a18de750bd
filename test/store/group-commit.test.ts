import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { commitWindowMs } from '../../src/store/group-commit.ts'
import { SteeredDisk } from '../support/steered-disk.ts'
import { bytes, KeptWaiter, Rig, turn } from './rig.ts'

t.test('the window follows the disk, within bounds', async (t) => {
  t.equal(commitWindowMs(0), 5)
  t.equal(commitWindowMs(4), 8)
  t.equal(commitWindowMs(500), LIMITS.commitWindowMsMax)
})

t.test('writes wait for the window and then are one commit', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  store.insert('a/1', bytes('one'))
  rig.clock.advance(4)
  store.insert('a/2', bytes('two'))
  await turn()
  t.equal(store.stats.pendingWrites, 2)
  rig.clock.advance(1)
  await store.committed()
  t.equal(store.stats.commits, 1)
  t.same(rig.disk.lastWritten, ['a/1', 'a/2'])
  t.equal(rig.clock.timers, 0)
})

t.test(
  'a flush starts the commit at the end of the turn, with all writes of the turn',
  async (t) => {
    const rig = new Rig(t)
    const store = await rig.start()
    store.insert('a/1', bytes('one'))
    store.flushSoon()
    store.flushSoon()
    store.insert('a/2', bytes('two'))
    await store.committed()
    t.equal(store.stats.commits, 1)
    t.equal(rig.clock.timers, 0)
  },
)

t.test('one commit is in flight at a time; what comes meanwhile is the next', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  rig.disk.hold()
  const waiters = [new KeptWaiter(), new KeptWaiter()]
  store.offer([{ key: 'a/1', value: bytes('one') }], waiters[0] ?? new KeptWaiter())
  const isHeld = rig.disk.held()
  store.flushSoon()
  await isHeld
  store.offer([{ key: 'a/2', value: bytes('two') }], waiters[1] ?? new KeptWaiter())
  store.flushSoon()
  await turn()
  t.same(
    waiters.map(({ told }) => told),
    ['', ''],
  )
  rig.disk.letGo()
  await store.committed()
  t.same(
    waiters.map(({ told }) => told),
    ['committed', 'committed'],
  )
  t.equal(store.stats.commits, 2)
})

t.test('the tally is counted on over commits', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  const first = store.stats.commit
  for (let at = 0; at < 3; at += 1) {
    store.insert(`a/${at}`, bytes('x'))
    await store.committed()
  }
  t.equal(store.stats.commit, first + 3)
  t.ok(store.stats.bytesWritten > 0)
})

t.test('a failed commit refuses its offers and writes all else', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  store.insert('a/0', bytes('old'))
  await store.committed()
  rig.disk.failures.push('IO error: Input/output error')
  const waiter = new KeptWaiter()
  store.replace('a/0', bytes('new'))
  store.insert('a/1', bytes('stays'))
  store.offer([{ key: 'a/2', value: bytes('refused') }], waiter)
  await store.committed()
  t.equal(waiter.told, 'STORE_FAILED')
  t.equal(store.get('a/2'), undefined)
  t.notOk(store.isFull)
  await store.stop()
  t.same(await rig.contents(), { 'a/0': 'new', 'a/1': 'stays' })
})

t.test('a failed commit that reached the disk all the same counts as committed', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  rig.disk.failures.push('IO error: Input/output error')
  rig.disk.failsAfterwards = true
  const waiter = new KeptWaiter()
  store.offer([{ key: 'a/1', value: bytes('one') }], waiter)
  await store.committed()
  t.equal(waiter.told, 'committed')
  await store.stop()
  t.same(await rig.contents(), { 'a/1': 'one' })
})

t.test('what is written while a commit fails comes after it, in order', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  rig.disk.failures.push('IO error: Input/output error')
  rig.disk.hold()
  store.insert('a/1', bytes('first'))
  const waiters = [new KeptWaiter(), new KeptWaiter()]
  store.offer([{ key: 'a/2', value: bytes('refused') }], waiters[0] ?? new KeptWaiter())
  const isHeld = rig.disk.held()
  store.flushSoon()
  await isHeld
  store.replace('a/1', bytes('second'))
  store.remove('a/2')
  store.offer([{ key: 'a/3', value: bytes('three') }], waiters[1] ?? new KeptWaiter())
  rig.disk.letGo()
  await store.committed()
  t.same(
    waiters.map(({ told }) => told),
    ['STORE_FAILED', 'committed'],
  )
  await store.stop()
  t.same(await rig.contents(), { 'a/1': 'second', 'a/3': 'three' })
  t.same(rig.log.texts('error').length, 1)
})

t.test('a disk that fails again and again is tried again, and nothing is lost', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  for (let times = 0; times < 5; times += 1) rig.disk.failures.push('IO error: Input/output error')
  store.insert('a/1', bytes('one'))
  let isCommitted = false
  store.afterCommit(() => {
    isCommitted = true
  })
  store.flushSoon()
  await rig.passUntil(() => isCommitted)
  await store.stop()
  t.same(await rig.contents(), { 'a/1': 'one' })
})

t.test('a full disk refuses new messages, takes all else, and recovers by itself', async (t) => {
  const rig = new Rig(t)
  const store = await rig.start()
  rig.disk.failures.push(SteeredDisk.noSpace)
  rig.disk.freeBytes = 0
  const waiters = [new KeptWaiter(), new KeptWaiter(), new KeptWaiter()] as const
  store.offer([{ key: 'a/1', value: bytes('one') }], waiters[0])
  await store.committed()
  t.equal(waiters[0].told, 'DISK_FULL')
  t.ok(store.isFull)
  store.offer([{ key: 'a/2', value: bytes('two') }], waiters[1])
  t.equal(waiters[1].told, '', 'never before the turn of the caller has ended')
  store.insert('a/3', bytes('three'))
  await store.committed()
  t.equal(waiters[1].told, 'DISK_FULL')
  rig.disk.freeBytes = 1e11
  await rig.passUntil(() => !store.isFull)
  store.offer([{ key: 'a/4', value: bytes('four') }], waiters[2])
  await store.committed()
  t.equal(waiters[2].told, 'committed')
  await store.stop()
  t.same(await rig.contents(), { 'a/3': 'three', 'a/4': 'four' })
})

t.test(
  'a stop on a disk that does not write ends, and refuses what it could not write',
  async (t) => {
    const rig = new Rig(t)
    const store = await rig.start()
    for (let times = 0; times < 1_000; times += 1)
      rig.disk.failures.push('IO error: Input/output error')
    const waiter = new KeptWaiter()
    store.offer([{ key: 'a/1', value: bytes('one') }], waiter)
    store.insert('a/2', bytes('two'))
    let isStopped = false
    const stopping = store.stop().then(() => {
      isStopped = true
    })
    await rig.passUntil(() => isStopped)
    await stopping
    t.equal(waiter.told, 'STORE_FAILED')
    rig.disk.failures.length = 0
    t.same(await rig.contents(), {})
  },
)
