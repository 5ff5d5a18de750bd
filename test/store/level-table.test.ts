import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkTable, entriesOf, type TableContent } from '../../src/store/level-table.ts'
import { sealedValue } from '../../src/store/seal.ts'
import { makeLevelFolder } from './rig.ts'

const COUNT = 400
const folder = t.testdir()
const expected = await makeLevelFolder(folder, COUNT)
const name = readdirSync(folder).find((each) => each.endsWith('.ldb')) ?? ''
const file = readFileSync(join(folder, name))

function pairsIn(bytes: Buffer, { sound }: TableContent): Map<string, string> {
  const entries = sound.flatMap((block) => entriesOf(bytes, block))
  return new Map(
    entries.map(({ internalKey, value }) => [
      internalKey.subarray(0, -8).toString(),
      sealedValue(value).toString(),
    ]),
  )
}

t.test('a sound table is sound, and all its pairs are found', async (t) => {
  const table = checkTable(file)
  t.match(table, { badBlocks: 0, isFrameSound: true })
  t.ok(table.blocks > 1)
  const pairs = pairsIn(file, table)
  t.equal(pairs.size, COUNT / 2)
  for (const [key, value] of pairs) t.equal(value, expected.get(key))
})

t.test('a changed bit anywhere is noticed, except in the unused bytes of the footer', async (t) => {
  let unnoticed = 0
  for (let at = 0; at < file.length; at += 1) {
    const hurt = Buffer.from(file)
    hurt[at] = (hurt[at] ?? 0) ^ (1 << (at % 8))
    const { badBlocks, isFrameSound } = checkTable(hurt)
    if (badBlocks > 0 || !isFrameSound) continue
    unnoticed += 1
    if (at < file.length - 48) t.fail(`byte ${at}`)
  }
  t.ok(unnoticed < 40)
})

t.test('without its end, the blocks that are left are found by their checksums', async (t) => {
  const table = checkTable(file.subarray(0, file.length - 1))
  t.equal(table.isFrameSound, false)
  t.equal(pairsIn(file, table).size, COUNT / 2)
  const half = file.subarray(0, file.length / 2)
  const some = pairsIn(half, checkTable(half))
  t.ok(some.size > 0 && some.size < COUNT / 2)
  for (const [key, value] of some) t.equal(value, expected.get(key))
})

t.test('one bad block does not cost the others', async (t) => {
  const hurt = Buffer.from(file)
  hurt[10] = (hurt[10] ?? 0) ^ 1
  const table = checkTable(hurt)
  t.match(table, { badBlocks: 1, isFrameSound: true })
  t.ok(pairsIn(hurt, table).size > 0)
})

t.test('anything else is no table', async (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.alloc(100, 0xff)]) {
    t.match(checkTable(bytes), { isFrameSound: false, sound: [] })
  }
})
