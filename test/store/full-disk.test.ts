/** A file system of 16 MB that really is full. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { Store } from '../../src/store/store.ts'
import { KeptLog } from '../support/kept-log.ts'
import { bytes, KeptWaiter, turn } from './rig.ts'

const folder = mkdtempSync(join(tmpdir(), 'full-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder])
const skip = mounted.status === 0 ? false : 'a file system can only be mounted by root'
t.teardown(() => {
  if (skip === false) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
})

/** Writes until there is no room at all. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  for (const size of [65_536, 4_096, 512, 1]) {
    const chunk = Buffer.alloc(size, 1)
    try {
      for (;;) writeSync(file, chunk)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
  closeSync(file)
}

t.test(
  'a full disk refuses messages, still deletes, and recovers by itself',
  { skip },
  async (t) => {
    const log = new KeptLog()
    const path = join(folder, 'store')
    const store = new Store({ clock: systemClock, log }, { path })
    await store.start(() => undefined)
    const value = Buffer.alloc(1_000, 'x')
    for (let at = 0; at < 1_000; at += 1) store.insert(`a/${at}`, value)
    await store.committed()
    fill(join(folder, 'filler'))

    const waiters: KeptWaiter[] = []
    const send = async () => {
      const waiter = new KeptWaiter()
      store.offer([{ key: `b/${waiters.length}`, value }], waiter)
      waiters.push(waiter)
      await store.committed()
      await turn()
      return waiter.told
    }
    while ((await send()) === 'committed');
    t.equal(waiters.at(-1)?.told, 'DISK_FULL')
    t.ok(store.isFull)
    for (let at = 0; at < 500; at += 1) store.remove(`a/${at}`)
    await store.committed()
    t.equal(store.get('a/0'), undefined)
    t.ok(store.get('a/999'))
    t.equal(await send(), 'DISK_FULL')

    rmSync(join(folder, 'filler'))
    while (store.isFull) await turn()
    t.equal(await send(), 'committed')
    await store.stop()

    const again = new Store({ clock: systemClock, log }, { path })
    const visited = new Set<string>()
    await again.start((key) => visited.add(key))
    t.same(again.report.damages, [])
    const committed = waiters.filter(({ told }) => told === 'committed').length
    t.equal(visited.size, 500 + committed)
    await again.stop()
  },
)

t.test('a store starts on a full disk', { skip }, async (t) => {
  const log = new KeptLog()
  const path = join(folder, 'store')
  const first = new Store({ clock: systemClock, log }, { path })
  await first.start(() => undefined)
  first.put('c/1', bytes('one'))
  await first.stop()
  fill(join(folder, 'filler'))
  const store = new Store({ clock: systemClock, log }, { path })
  await store.start(() => undefined)
  t.ok(store.isFull)
  t.ok(store.get('c/1'))
  store.remove('c/1')
  await store.committed()
  await store.stop()
  rmSync(join(folder, 'filler'))
})
