import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/store/database.ts'
import { Generations } from '../../src/store/generations.ts'
import { codeOf, makeLevelFolder } from './rig.ts'

const KEY = 'entry/0-00000'

async function withOne(t: Test): Promise<{ path: string; generations: Generations }> {
  const path = t.testdir()
  await makeLevelFolder(join(path, 'pairs-4'), 2)
  const generations = new Generations({ open: openDatabase }, { path })
  t.teardown(() => generations.close())
  return { path, generations }
}

t.test('in a new store the first one is made', async (t) => {
  const path = t.testdir()
  const generations = new Generations({ open: openDatabase }, { path })
  t.notOk(generations.isOpen)
  t.throws(() => generations.database)
  t.equal(await generations.find(), 0)
  await generations.openLinked(0)
  t.ok(generations.isOpen)
  t.same(readdirSync(path), ['pairs-1'])
  await generations.close()
})

t.test('the older one stays until the newer one is known to be good', async (t) => {
  const { path, generations } = await withOne(t)
  await generations.openLinked(await generations.find())
  t.same(readdirSync(path), ['pairs-4', 'pairs-5'])
  t.ok(generations.database.get(KEY))
  await generations.settle()
  t.same(readdirSync(path), ['pairs-5'])
})

t.test(
  'a newer one that was never settled does not count, nor does what is left over',
  async (t) => {
    const { path, generations } = await withOne(t)
    for (const name of ['pairs-5', 'pairs-6', 'gone-3', 'salvage-4', 'damaged-1'])
      mkdirSync(join(path, name))
    t.equal(await generations.find(), 4)
    t.same(readdirSync(path).sort(), ['damaged-1', 'pairs-4'])
  },
)

t.test('it goes on with a fresh LevelDB over the same files', async (t) => {
  const { path, generations } = await withOne(t)
  await generations.openLinked(4)
  await generations.settle()
  const before = generations.database
  await generations.advance()
  t.not(generations.database, before)
  t.ok(generations.database.get(KEY))
  t.same(readdirSync(path), ['pairs-6'])
})

t.test('the old one answers until the fresh one is open', async (t) => {
  const { path, generations } = await withOne(t)
  await generations.openLinked(4)
  await generations.settle()
  const advancing = generations.advance()
  t.ok(generations.database.get(KEY))
  await advancing
  t.ok(generations.database.get(KEY))
  t.same(readdirSync(path), ['pairs-6'])
})

t.test('a fresh one that cannot be opened leaves the old one in place', async (t) => {
  const { path } = await withOne(t)
  let isBroken = false
  const open = async (folder: string) => {
    if (isBroken) throw new Error('EIO')
    return openDatabase(folder)
  }
  const generations = new Generations({ open }, { path })
  await generations.openLinked(4)
  await generations.settle()
  isBroken = true
  await t.rejects(generations.advance())
  t.ok(generations.database.get(KEY))
  isBroken = false
  await generations.advance()
  t.ok(generations.database.get(KEY))
  await generations.close()
})

t.test('older ones can be renamed to something else', async (t) => {
  const { path, generations } = await withOne(t)
  await generations.openNew(5)
  const retired: string[] = []
  await generations.retireOlder(async (folder) => {
    retired.push(folder)
  })
  t.same(retired, [join(path, 'pairs-4')])
})

t.test('a link in place of a generation is refused', async (t) => {
  const path = t.testdir({ elsewhere: {} })
  symlinkSync(join(path, 'elsewhere'), join(path, 'pairs-1'))
  const generations = new Generations({ open: openDatabase }, { path })
  t.equal(await codeOf(() => generations.find()), 'STORE_FAILED')
})
