import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Marks, type MarksFound, readMarks } from '../../src/store/marks.ts'
import { keySum } from '../../src/store/seal.ts'
import { Tally } from '../../src/store/tally.ts'
import { KeptLog } from '../support/kept-log.ts'

function tallyAt(commit: number): Tally {
  const tally = new Tally(commit)
  tally.add('box/1', keySum('box/1'))
  return tally
}

function marksIn(t: Test): { marks: Marks; path: string } {
  const path = join(t.testdir(), 'marks')
  return { marks: new Marks({ log: new KeptLog() }, { path }), path }
}

async function found(path: string): Promise<MarksFound> {
  const marks = new Marks({ log: new KeptLog() }, { path })
  const result = await marks.start()
  await marks.stop(undefined)
  return result
}

t.test('there are none at first', async (t) => {
  const { marks } = marksIn(t)
  t.same(await marks.start(), { newest: undefined, isThere: false, damaged: 0 })
  await marks.stop(undefined)
})

t.test('the newest commit is found, and whether the end was in order', async (t) => {
  const { marks, path } = marksIn(t)
  await marks.start()
  for (let commit = 1; commit <= 20; commit += 1) marks.note(tallyAt(commit))
  await marks.stop(undefined)
  t.match(await found(path), { newest: { isClean: false, tally: tallyAt(20) }, damaged: 0 })
  await marks.start()
  await marks.stop(tallyAt(21))
  t.match(await found(path), { newest: { isClean: true, tally: tallyAt(21) }, isThere: true })
})

t.test('one damaged place is reported, and the other one counts', async (t) => {
  const { marks, path } = marksIn(t)
  await marks.start()
  marks.note(tallyAt(1))
  await marks.stop(tallyAt(2))
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at += 97) {
    const hurt = Buffer.from(whole)
    hurt[at] = (hurt[at] ?? 0) ^ 1
    const { newest, damaged } = readMarks(hurt)
    t.equal(damaged, 1)
    t.equal(newest?.tally.commit, at < 4096 ? 1 : 2)
  }
})

t.test('any cut leaves a mark, or says that one is damaged', async (t) => {
  const { marks, path } = marksIn(t)
  await marks.start()
  marks.note(tallyAt(1))
  await marks.stop(tallyAt(2))
  const whole = readFileSync(path)
  for (const length of [1, 8, 100, 4095, 4097, 8191]) {
    t.equal(readMarks(whole.subarray(0, length)).damaged, 1)
    writeFileSync(path, whole.subarray(0, length))
    t.equal((await found(path)).damaged, 1)
  }
})
