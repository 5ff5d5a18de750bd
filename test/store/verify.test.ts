import { join } from 'node:path'
import t from 'tap'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { keySum, seal } from '../../src/store/seal.ts'
import { Tally } from '../../src/store/tally.ts'
import { differences, passOver } from '../../src/store/verify.ts'

async function databaseWith(folder: string, pairs: [string, string][]): Promise<Database> {
  const database = await openDatabase(join(folder, 'pairs'))
  await database.copyIn(pairs.map(([key, value]) => [key, seal(keySum(key), Buffer.from(value))]))
  return database
}

function tallyOf(...keys: string[]): Tally {
  const tally = new Tally()
  for (const key of keys) tally.add(key, keySum(key))
  return tally
}

t.test('every sound pair is visited in order and counted, own keys only checked', async (t) => {
  const keys = Array.from({ length: 2_500 }, (_, at) => `box/${String(at).padStart(5, '0')}`)
  const database = await databaseWith(t.testdir(), [
    ['entry/1', 'e'],
    ...keys.map((key): [string, string] => [key, key]),
  ])
  await database.writeFormat(1)
  const visited: string[] = []
  let pauses = 0
  const pass = await passOver(database, {
    sound: (key) => visited.push(key),
    pause: async () => {
      pauses += 1
    },
  })
  t.same(visited, [...keys, 'entry/1'])
  t.same(pass, { tally: tallyOf('entry/1', ...keys), damaged: 0, error: undefined })
  t.ok(pauses > 1)
  await database.close()
})

t.test('a damaged pair is neither visited nor counted', async (t) => {
  const database = await databaseWith(t.testdir(), [['box/1', 'one']])
  await database.copyIn([
    ['box/2', Buffer.from('no seal')],
    ['box/3', Buffer.alloc(0)],
  ])
  const unsound: string[] = []
  const visited: string[] = []
  const pass = await passOver(database, {
    sound: (key) => visited.push(key),
    unsound: (key) => unsound.push(key),
  })
  t.same(visited, ['box/1'])
  t.same(unsound, ['box/2', 'box/3'])
  t.equal(pass.damaged, 2)
  t.same(pass.tally, tallyOf('box/1'))
  await database.close()
})

t.test('a pass that LevelDB breaks off says so, and what it had until then', async (t) => {
  const database = await databaseWith(t.testdir(), [['box/1', 'one']])
  const error = new Error('EIO')
  const iterate = database.iterate.bind(database)
  database.iterate = (range) => {
    const iterator = iterate(range)
    let reads = 0
    return {
      nextv: (size) => {
        reads += 1
        return reads === 1 ? iterator.nextv(size) : Promise.reject(error)
      },
      close: () => iterator.close(),
    }
  }
  const pass = await passOver(database, { sound: () => undefined })
  t.equal(pass.error, error)
  t.equal(pass.tally.count, 1)
  await database.close()
})

t.test('what the visitor throws is no fault of the store', async (t) => {
  const database = await databaseWith(t.testdir(), [['box/1', 'one']])
  const fail = () => {
    throw new Error('bug')
  }
  await t.rejects(passOver(database, { sound: fail }), { message: 'bug' })
  await t.rejects(passOver(database, { sound: () => undefined, pause: async () => fail() }), {
    message: 'bug',
  })
  await database.close()
})

t.test('differences name the table and the number of keys', async (t) => {
  const expected = tallyOf('a/1', 'a/2', 'b/1', 'c/1', 'd/1')
  const found = tallyOf('b/1', 'b/2', 'c/2', 'd/1')
  t.match(differences(expected, found), [
    { kind: 'missing', table: 'a', count: 2 },
    { kind: 'returned', table: 'b', count: 1 },
    { kind: 'changed', table: 'c' },
  ])
  t.same(differences(expected, expected), [])
})
