import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import t from 'tap'
import { countOpenings, FileTally } from '../../bench/store-files.ts'
import { opening } from '../load/pump.ts'
import { SeededRandom } from '../load/random.ts'

t.test('payloads are found in a LevelDB, in its log and in its tables', async (t) => {
  const folder = t.testdir()
  const random = new SeededRandom(3)
  const db = new Level<string, Buffer>(join(folder, 'db'), { valueEncoding: 'buffer' })
  const openings = new Map<number, number>()
  for (let number = 0; number < 2_000; number++) {
    const payload = random.bytes(200)
    const [low, high] = opening(8, number)
    payload.writeUInt32LE(low)
    payload.writeUInt32LE(high, 4)
    openings.set(low, high)
    await db.put(`users/bob/inbox/${number}`, payload)
  }
  const inLog = await countOpenings(folder, openings)
  await db.close()
  // Opening turns the log into a table.
  await db.open()
  const inTables = await countOpenings(folder, openings)
  await db.close()
  // One may be cut in two by the end of a block.
  t.ok(inLog > 1_980, `${inLog} of 2000`)
  t.ok(inTables > 1_900, `${inTables} of 2000`)
  t.equal(await countOpenings(folder, new Map([opening(9, 1)])), 0)
})

t.test('the tally counts what was written to files that are gone again', async (t) => {
  const folder = t.testdir()
  await mkdir(join(folder, 'deep'))
  const tally = new FileTally({ folder })
  await writeFile(join(folder, 'deep', 'a'), Buffer.alloc(100))
  await tally.look()
  await appendFile(join(folder, 'deep', 'a'), Buffer.alloc(50))
  await tally.look()
  await writeFile(join(folder, 'b'), Buffer.alloc(7))
  await rm(join(folder, 'deep', 'a'))
  await tally.look()
  t.equal(tally.bytes, 157)
})
