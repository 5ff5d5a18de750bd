import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Generations } from '../../src/store/generations.ts'
import { Mending } from '../../src/store/mending.ts'
import { Findings } from '../../src/store/report.ts'
import { KeptLog } from '../support/kept-log.ts'
import { makeLevelFolder } from './rig.ts'

const COUNT = 100

async function parts(t: Test) {
  const path = t.testdir()
  await makeLevelFolder(join(path, 'pairs-1'), COUNT)
  const log = new KeptLog()
  const generations = new Generations({ open: openDatabase }, { path })
  const findings = new Findings({ log })
  const made = { rooms: 0 }
  const makeRoom = async () => {
    made.rooms += 1
  }
  const mending = new Mending(
    { log, open: openDatabase, generations, findings, makeRoom },
    { path },
  )
  t.teardown(() => generations.close())
  return { path, generations, findings, mending, made }
}

const accept = (): void => undefined

t.test('everything sound is in a new generation, and the damaged one is set aside', async (t) => {
  const { path, generations, findings, mending, made } = await parts(t)
  writeFileSync(join(path, 'pairs-1', 'CURRENT'), 'nonsense')
  await mending.run(1, accept)
  await mending.setAside()
  t.equal(made.rooms, 1)
  t.match(findings.damages, [{ kind: 'mended', count: COUNT }])
  t.same(readdirSync(path).sort(), ['damaged-1', 'pairs-2'])
  t.same(findings.setAside, [join(path, 'damaged-1')])
  t.equal(readFileSync(join(path, 'damaged-1', 'CURRENT'), 'utf8'), 'nonsense')
  t.ok(generations.database.get('entry/1-00007'))
})

t.test('a pair that fails its check is left out, and kept in a line for people', async (t) => {
  const { path, generations, findings, mending } = await parts(t)
  const database = await openDatabase(join(path, 'pairs-1'))
  await database.copyIn([['entry/1-00007', Buffer.from('damaged')]])
  await database.close()
  await mending.run(1, accept)
  await mending.setAside()
  t.match(findings.damages, [
    { kind: 'pair', table: 'entry' },
    { kind: 'mended', count: COUNT - 1 },
  ])
  t.equal(generations.database.get('entry/1-00007'), undefined)
  const line = readFileSync(join(path, 'damaged-1', 'pairs.jsonl'), 'utf8')
  t.same(JSON.parse(line), {
    key: 'entry/1-00007',
    sealed: Buffer.from('damaged').toString('base64'),
  })
})

t.test('what may not be mended is not', async (t) => {
  const { path, mending } = await parts(t)
  const refuse = () => {
    throw new Error('newer')
  }
  await t.rejects(mending.run(1, refuse))
  t.ok(readdirSync(path).includes('pairs-1'))
})

t.test('a mending that finds no room changes nothing', async (t) => {
  const { path } = await parts(t)
  const open: typeof openDatabase = async (folder) => {
    const database = await openDatabase(folder)
    database.copyIn = () => Promise.reject(new Error('IO error: No space left on device'))
    return database
  }
  const log = new KeptLog()
  const generations = new Generations({ open }, { path })
  t.teardown(() => generations.close())
  const findings = new Findings({ log })
  const makeRoom = async () => undefined
  const mending = new Mending({ log, open, generations, findings, makeRoom }, { path })
  await t.rejects(mending.run(1, accept), { message: /No space/ })
  t.same(findings.damages, [])
  t.ok(readdirSync(path).includes('pairs-1'))
})

t.test('an interrupted mending is begun again from the damaged store', async (t) => {
  const { path, generations, mending } = await parts(t)
  await mending.run(1, accept)
  await generations.close()
  t.equal(await generations.find(), 1)
  t.same(readdirSync(path), ['pairs-1'])
})

t.test('only the newest of what was set aside is kept', async (t) => {
  const { path, findings, mending } = await parts(t)
  for (let at = 1; at <= LIMITS.damagedFoldersMax; at += 1) mkdirSync(join(path, `damaged-${at}`))
  await mending.setAside()
  t.equal(findings.setAside.length, LIMITS.damagedFoldersMax)
  await mending.run(1, accept)
  await mending.setAside()
  t.equal(findings.setAside.length, LIMITS.damagedFoldersMax)
  t.notOk(readdirSync(path).includes('damaged-1'))
  t.equal(findings.setAside.at(-1), join(path, `damaged-${LIMITS.damagedFoldersMax + 1}`))
})
