import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { faultOf, inspectFile, inspectFolder } from '../../src/store/inspect.ts'
import { makeLevelFolder } from './rig.ts'

const sound = t.testdir()
await makeLevelFolder(sound, 2_000)

function copyIn(t: Test): { folder: string; name: (end: RegExp) => string } {
  const folder = t.testdir()
  cpSync(sound, folder, { recursive: true })
  return { folder, name: (end) => readdirSync(folder).find((each) => end.test(each)) ?? '' }
}

function flip(folder: string, name: string, at: number): void {
  const bytes = readFileSync(join(folder, name))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(join(folder, name), bytes)
}

t.test('a sound folder has no faults, nor has an empty one', async (t) => {
  t.same(await inspectFolder(sound), [])
  t.same(await inspectFolder(t.testdir()), [])
})

t.test('each kind of file is checked, and a fault names it', async (t) => {
  for (const kind of [/\.ldb$/, /\.log$/, /^MANIFEST/, /^CURRENT/]) {
    const { folder, name } = copyIn(t)
    flip(folder, name(kind), 3)
    t.match(await inspectFolder(folder), [new RegExp(name(kind).slice(0, 8))], String(kind))
  }
})

t.test('a torn end of a log is no fault: an interrupted write looks so', async (t) => {
  const { folder, name } = copyIn(t)
  const log = name(/\.log$/)
  truncateSync(join(folder, log), readFileSync(join(folder, log)).length - 5)
  t.same(await inspectFolder(folder), [])
})

t.test('a folder with data but without CURRENT is not a new one', async (t) => {
  const { folder } = copyIn(t)
  rmSync(join(folder, 'CURRENT'))
  t.same(await inspectFolder(folder), ['CURRENT is missing'])
})

t.test('a table that LevelDB half made, or has done with, does not matter', async (t) => {
  const { folder, name } = copyIn(t)
  const table = readFileSync(join(folder, name(/\.ldb$/)))
  writeFileSync(join(folder, '999999.ldb'), table.subarray(0, 5_000))
  writeFileSync(join(folder, '000001.log'), 'nonsense that is long enough'.repeat(9))
  t.same(await inspectFolder(folder), [])
})

t.test('a file that cannot be read is a fault', async (t) => {
  const found = await inspectFile(t.testdir(), '000001.ldb')
  t.match(faultOf(found), /000001\.ldb/)
})
