import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/store/database.ts'
import { salvageFolder } from '../../src/store/salvage.ts'
import { sealedValue } from '../../src/store/seal.ts'
import { makeLevelFolder } from './rig.ts'

const COUNT = 2_000
const made = t.testdir()
const expected = await makeLevelFolder(made, COUNT)

function copyIn(t: Test): { from: string; to: string; name: (end: RegExp) => string } {
  const folder = t.testdir()
  const from = join(folder, 'from')
  cpSync(made, from, { recursive: true })
  const name = (end: RegExp) => readdirSync(from).find((each) => end.test(each)) ?? ''
  return { from, to: join(folder, 'to'), name }
}

/** How many pairs are there; each must be one that was written. */
async function countIn(t: Test, folder: string): Promise<number> {
  const database = await openDatabase(folder)
  const iterator = database.iterate({})
  let count = 0
  for (let pairs = await iterator.nextv(100); pairs.length > 0; pairs = await iterator.nextv(100)) {
    for (const [key, sealed] of pairs) {
      if (sealedValue(sealed).toString() !== expected.get(key))
        t.fail(`${key} is not what was written`)
    }
    count += pairs.length
  }
  await iterator.close()
  await database.close()
  return count
}

function zero(path: string, from: number, to: number): void {
  const bytes = readFileSync(path)
  bytes.fill(0, from, to)
  writeFileSync(path, bytes)
}

t.test('without MANIFEST and CURRENT everything is found', async (t) => {
  const { from, to, name } = copyIn(t)
  rmSync(join(from, 'CURRENT'))
  rmSync(join(from, name(/^MANIFEST/)))
  t.ok(await salvageFolder(from, to))
  t.equal(await countIn(t, to), COUNT)
})

t.test('a table without its index loses nothing', async (t) => {
  const { from, to, name } = copyIn(t)
  const table = join(from, name(/\.ldb$/))
  zero(table, readFileSync(table).length - 60, readFileSync(table).length)
  await salvageFolder(from, to)
  t.equal(await countIn(t, to), COUNT)
})

t.test('a hole in a table costs only its blocks', async (t) => {
  const { from, to, name } = copyIn(t)
  zero(join(from, name(/\.ldb$/)), 5_000, 5_010)
  await salvageFolder(from, to)
  const count = await countIn(t, to)
  t.ok(count < COUNT && count > COUNT - 250, `${count} of ${COUNT}`)
})

t.test('a hole in a log costs only its block', async (t) => {
  const { from, to, name } = copyIn(t)
  zero(join(from, name(/\.log$/)), 40_000, 40_010)
  await salvageFolder(from, to)
  const count = await countIn(t, to)
  t.ok(count < COUNT && count > COUNT - 400, `${count} of ${COUNT}`)
})

t.test('the damaged folder itself is not changed', async (t) => {
  const { from, to, name } = copyIn(t)
  zero(join(from, name(/\.ldb$/)), 5_000, 5_010)
  const before = readdirSync(from).map((each) => [each, readFileSync(join(from, each))])
  await salvageFolder(from, to)
  const database = await openDatabase(to)
  await database.close()
  t.same(
    readdirSync(from).map((each) => [each, readFileSync(join(from, each))]),
    before,
  )
})

t.test('where nothing is, nothing is made', async (t) => {
  const folder = t.testdir({ from: { CURRENT: 'x' } })
  t.notOk(await salvageFolder(join(folder, 'from'), join(folder, 'to')))
})
