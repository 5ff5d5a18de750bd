import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/store/database.ts'
import { keySum, seal } from '../../src/store/seal.ts'
import { bytes, codeOf, Rig } from './rig.ts'

/** A stopped store with `count` keys in each of two tables. */
async function stopped(t: Test, count = 50): Promise<Rig> {
  const rig = new Rig(t)
  const store = await rig.start()
  for (let at = 0; at < count; at += 1) {
    store.insert(`box/${at}`, bytes(`box ${at} `.repeat(20)))
    store.insert(`entry/${at}`, bytes(`entry ${at} `.repeat(20)))
    if (at % 10 === 9) await store.committed()
  }
  await store.stop()
  return rig
}

function generation(rig: Rig): string {
  return join(rig.path, readdirSync(rig.path).find((name) => name.startsWith('pairs-')) ?? '')
}

/** Changes the open store behind the back of its counts. */
async function meddle(rig: Rig, keys: string[], sealed: (key: string) => Buffer): Promise<void> {
  const database = await openDatabase(generation(rig))
  await database.copyIn(keys.map((key) => [key, sealed(key)]))
  await database.close()
}

t.test('a sound store is opened without a word', async (t) => {
  const rig = await stopped(t)
  const visited = new Map<string, string>()
  const store = await rig.start(visited)
  t.equal(visited.size, 100)
  t.same(store.report.damages, [])
  t.ok(store.report.wasClosed)
  t.equal(readdirSync(rig.path).filter((name) => name.startsWith('pairs-')).length, 1)
})

t.test('a new store is empty, and no damage', async (t) => {
  const rig = new Rig(t)
  const visited = new Map<string, string>()
  const store = await rig.start(visited)
  t.equal(visited.size, 0)
  t.same(store.report.damages, [])
})

t.test('a store of a newer format is refused and not touched', async (t) => {
  const rig = await stopped(t)
  const database = await openDatabase(generation(rig))
  await database.writeFormat(1_000)
  await database.close()
  const name = generation(rig)
  t.equal(await codeOf(() => rig.start()), 'STORE_NEWER')
  t.equal(generation(rig), name)
})

t.test('a damaged store of a newer format is refused and not touched either', async (t) => {
  const rig = await stopped(t)
  const database = await openDatabase(generation(rig))
  await database.writeFormat(1_000)
  await database.close()
  const name = generation(rig)
  writeFileSync(join(name, 'CURRENT'), 'nonsense')
  t.equal(await codeOf(() => rig.start()), 'STORE_NEWER')
  t.equal(generation(rig), name)
})

t.test('damage that only shows when all is read begins the visit again', async (t) => {
  const rig = await stopped(t)
  await meddle(rig, ['box/7', 'entry/9'], () => Buffer.from('damaged'))
  const visits: string[] = []
  const visited = new Map<string, string>()
  const set = visited.set.bind(visited)
  visited.set = (key, value) => {
    visits.push(key)
    return set(key, value)
  }
  const store = await rig.start(visited)
  t.equal(visited.size, 98)
  t.equal(visits.length, 2 * 98)
  t.match(store.report.damages, [
    { kind: 'pair', table: 'box' },
    { kind: 'pair', table: 'entry' },
    { kind: 'mended', count: 98 },
    { kind: 'missing', table: 'box', count: 1 },
    { kind: 'missing', table: 'entry', count: 1 },
  ])
})

t.test('keys that nobody counted are reported, and stay', async (t) => {
  const rig = await stopped(t)
  await meddle(rig, ['box/x'], (key) => seal(keySum(key), Buffer.from('back')))
  const visited = new Map<string, string>()
  const store = await rig.start(visited)
  t.ok(visited.has('box/x'))
  t.match(store.report.damages, [{ kind: 'mended' }, { kind: 'returned', table: 'box', count: 1 }])
  await store.stop()
  t.same((await rig.start()).report.damages, [], 'they count from then on')
})

t.test('commits that were marked and are gone are reported', async (t) => {
  const rig = await stopped(t)
  const log = join(
    generation(rig),
    readdirSync(generation(rig)).find((name) => name.endsWith('.log')) ?? '',
  )
  truncateSync(log, readFileSync(log).length - 5)
  const store = await rig.start()
  t.match(store.report.damages, [
    { kind: 'mended' },
    { kind: 'commits', count: 1 },
    { kind: 'missing', table: 'box', count: 10 },
    { kind: 'missing', table: 'entry', count: 10 },
  ])
})

t.test('a store whose LevelDB is gone is not taken for a new one', async (t) => {
  const rig = await stopped(t)
  rmSync(generation(rig), { recursive: true })
  const store = await rig.start()
  t.match(store.report.damages, [
    { kind: 'file' },
    { kind: 'commits' },
    { kind: 'missing', table: 'box', count: 50 },
    { kind: 'missing', table: 'entry', count: 50 },
  ])
})

t.test('without marks the store counts by itself, and says so', async (t) => {
  const rig = await stopped(t)
  rmSync(join(rig.path, 'marks'))
  const store = await rig.start()
  t.match(store.report.damages, [{ kind: 'file' }])
  t.ok(existsSync(join(rig.path, 'marks')))
})

t.test('a store that nothing can be read of starts empty, and says so', async (t) => {
  const rig = await stopped(t)
  for (const name of readdirSync(generation(rig)))
    writeFileSync(join(generation(rig), name), 'nonsense')
  const visited = new Map<string, string>()
  const store = await rig.start(visited)
  t.equal(visited.size, 0)
  const kinds = store.report.damages.map(({ kind }) => kind)
  t.ok(['file', 'commits', 'missing'].every((kind) => kinds.includes(kind as 'file')))
  t.equal(store.report.setAside.length, 1)
  store.insert('box/1', bytes('new'))
  await store.committed()
})
