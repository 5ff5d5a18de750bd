import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { Batch } from '../../src/store/batch.ts'
import { isOwnKey, openDatabase, repairFolder, takeLock } from '../../src/store/database.ts'
import { unseal } from '../../src/store/seal.ts'
import { Tally } from '../../src/store/tally.ts'
import { bytes, codeOf, makeLevelFolder } from './rig.ts'

t.test('changes and tally are there after reopening', async (t) => {
  const folder = join(t.testdir(), 'pairs')
  const database = await openDatabase(folder)
  const batch = new Batch()
  batch.insert('a/1', bytes('one'), 'plain')
  batch.insert('a/2', bytes('two'), 'plain')
  const tally = new Tally(1)
  batch.countInto(tally)
  await database.write(batch.changes, tally)
  await database.writeFormat(3)
  const removal = new Batch()
  removal.remove('a/2')
  await database.write(removal.changes, tally.at(2))
  await database.close()

  const again = await openDatabase(folder)
  t.equal(unseal('a/1', again.get('a/1') ?? Buffer.alloc(0))?.toString(), 'one')
  t.equal(again.get('a/2'), undefined)
  t.match(await again.getMany(['a/2', 'a/1']), [undefined, Buffer])
  t.equal(again.readTally()?.commit, 2)
  t.equal(again.readFormat(), 3)
  await again.close()
})

t.test('a new one has neither tally nor format', async (t) => {
  const database = await openDatabase(join(t.testdir(), 'pairs'))
  t.equal(database.readTally(), undefined)
  t.equal(database.readFormat(), undefined)
  await database.close()
})

t.test(
  'pairs come in order, forwards and backwards, as they were when the look began',
  async (t) => {
    const folder = t.testdir()
    await makeLevelFolder(folder, 10)
    const database = await openDatabase(folder)
    const range = { gte: 'entry/0-', lt: 'entry/0-00002' }
    const forwards = database.iterate(range)
    const backwards = database.iterate({ ...range, reverse: true })
    const removal = new Batch()
    removal.remove('entry/0-00000')
    await database.write(removal.changes, new Tally())
    t.same(
      (await forwards.nextv(10)).map(([key]) => key),
      ['entry/0-00000', 'entry/0-00001'],
    )
    t.same(
      (await backwards.nextv(1)).map(([key]) => key),
      ['entry/0-00001'],
    )
    await forwards.close()
    await backwards.close()
    await database.close()
  },
)

t.test('what LevelDB cannot open is a failed store', async (t) => {
  const folder = t.testdir({ CURRENT: 'nonsense' })
  t.equal(await codeOf(() => openDatabase(folder)), 'STORE_FAILED')
})

t.test('repair finds the pairs without the files that list them', async (t) => {
  const folder = t.testdir()
  const expected = await makeLevelFolder(folder, 10)
  writeFileSync(join(folder, 'CURRENT'), 'nonsense')
  await repairFolder(folder)
  const database = await openDatabase(folder)
  for (const key of expected.keys()) t.ok(database.get(key), key)
  await database.close()
})

t.test('a lock is held by one at a time', async (t) => {
  const folder = join(t.testdir(), 'lock')
  const lock = await takeLock(folder)
  t.equal(await codeOf(() => takeLock(folder)), 'STORE_LOCKED')
  await lock.release()
  await (await takeLock(folder)).release()
})

t.test('a damaged lock folder locks all the same', async (t) => {
  const folder = t.testdir({ CURRENT: 'nonsense', 'MANIFEST-000001': 'nonsense' })
  const lock = await takeLock(folder)
  t.equal(await codeOf(() => takeLock(folder)), 'STORE_LOCKED')
  t.ok(existsSync(join(folder, 'LOCK')))
  await lock.release()
})

t.test('its own keys are known', async (t) => {
  t.ok(isOwnKey('meta/tally'))
  t.ok(isOwnKey('meta/format'))
  t.notOk(isOwnKey('meta/times'))
})

t.test('at most so many tables are open, and the others can be read all the same', async (t) => {
  const folder = t.testdir()
  const keys = Array.from({ length: LIMITS.openTablesMax + 8 }, (_, at) => `a/${at + 100}`)
  const options = { keyEncoding: 'utf8', valueEncoding: 'buffer', writeBufferSize: 65_536 } as const
  const maker = new Level<string, Buffer>(folder, { ...options, maxFileSize: 2 ** 20 })
  for (const key of keys) await maker.put(key, randomBytes(2 ** 20))
  await maker.close()
  const tables = readdirSync(folder).filter((name) => name.endsWith('.ldb'))
  t.ok(tables.length > LIMITS.openTablesMax, 'there are more than may be open')

  const database = await openDatabase(folder)
  for (const key of keys) t.ok(database.get(key))
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  const open = maps.filter((line) => line.includes(folder) && line.endsWith('.ldb'))
  // LevelDB spreads them over sixteen lists, each with its share.
  t.ok(open.length <= LIMITS.openTablesMax && open.length > 0, `${open.length} are open`)
  await database.close()
})
