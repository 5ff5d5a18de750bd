import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readLog } from '../../src/store/level-log.ts'
import { readManifest } from '../../src/store/level-manifest.ts'
import { makeLevelFolder } from './rig.ts'

t.test('it names the tables and logs that LevelDB uses', async (t) => {
  const folder = t.testdir()
  await makeLevelFolder(folder, 100)
  const names = readdirSync(folder)
  const manifest = readFileSync(
    join(folder, names.find((name) => name.startsWith('MANIFEST')) ?? ''),
  )
  const found = readManifest(readLog(manifest).records)
  const tables = names
    .filter((name) => name.endsWith('.ldb'))
    .map((name) => Number.parseInt(name, 10))
  const logs = names
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number.parseInt(name, 10))
  t.same([...(found?.tables ?? [])], tables)
  t.same([found?.oldestLog], logs)
})

t.test('later edits add and delete', async (t) => {
  const added = (number: number) => [7, 0, number, 100, 1, 97, 1, 98]
  const found = readManifest([
    Buffer.from([1, 1, 120, 2, 5, ...added(3), ...added(4)]),
    Buffer.from([6, 0, 3, 5, 1, 1, 97, 9, 0, 3, 9, 4, 8, 2, 6]),
  ])
  t.same(found, { tables: new Set([4]), oldestLog: 6 })
})

t.test('what is cut or unknown is no manifest', async (t) => {
  const edit = Buffer.from([7, 0, 3, 100, 1, 97, 1, 98])
  for (let length = 1; length < edit.length; length += 1) {
    t.equal(readManifest([edit.subarray(0, length)]), undefined, `${length} bytes`)
  }
  t.equal(readManifest([Buffer.from([8, 1])]), undefined)
  t.same(readManifest([]), { tables: new Set(), oldestLog: 0 })
})
