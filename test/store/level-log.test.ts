import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readLog, writeLog } from '../../src/store/level-log.ts'
import { Random } from './damage.ts'
import { makeLevelFolder } from './rig.ts'

const BLOCK_BYTES = 32_768
const SEED = Number(process.env['SEED'] ?? 1)

function records(sizes: number[]): Buffer[] {
  return sizes.map((size, at) => Buffer.alloc(size, `record ${at} `))
}

t.test('records of any size come back, also at the edges of blocks', async (t) => {
  for (const edge of [BLOCK_BYTES - 7, BLOCK_BYTES, 2 * BLOCK_BYTES]) {
    for (let size = edge - 20; size <= edge + 20; size += 1) {
      const written = records([size, 1, 0, size])
      const found = readLog(writeLog(written))
      t.same(found.records, written)
      t.equal(found.holes, 0)
      t.equal(found.isTorn, false)
    }
  }
})

t.test('an end that was cut off is torn, and what comes before it is whole', async (t) => {
  const written = records([100, 40_000, 100, 100])
  const file = writeLog(written)
  for (const cut of [1, 50, 107, 20_000]) {
    const found = readLog(file.subarray(0, file.length - cut))
    t.equal(found.holes, 0, `${cut} bytes`)
    t.equal(found.isTorn, cut !== 107)
    t.same(found.records, written.slice(0, found.records.length))
  }
})

t.test('zeros at the end are an interrupted write', async (t) => {
  const found = readLog(Buffer.concat([writeLog(records([100])), Buffer.alloc(5_000)]))
  t.match(found, { holes: 0, isTorn: true })
  t.equal(found.records.length, 1)
})

t.test(`damage in the middle is a hole, whatever it is (SEED=${SEED})`, async (t) => {
  const random = new Random(SEED)
  const written = records(Array.from({ length: 200 }, () => 1 + random.below(2_000)))
  const file = writeLog(written)
  for (let tries = 0; tries < 200; tries += 1) {
    const hurt = Buffer.from(file)
    const at = random.below(file.length - 2 * BLOCK_BYTES)
    hurt[at] = (hurt[at] ?? 0) ^ (1 << random.below(8))
    const found = readLog(hurt)
    if (found.holes === 0) t.fail(`byte ${at} changed unnoticed`)
    if (found.records.some((record) => !written.some((each) => each.equals(record)))) {
      t.fail(`byte ${at} made a record that nobody wrote`)
    }
  }
})

t.test('it reads what LevelDB writes, and writes what LevelDB would', async (t) => {
  const folder = t.testdir()
  await makeLevelFolder(folder, 100)
  const current = readFileSync(join(folder, 'CURRENT'), 'latin1').trim()
  const file = readFileSync(join(folder, current))
  const found = readLog(file)
  t.match(found, { holes: 0, isTorn: false })
  t.same(writeLog(found.records), file)
})
