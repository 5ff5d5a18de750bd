import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { allPairs } from '../../src/store/pairs.ts'
import type { Store } from '../../src/store/store.ts'

/** The part of a store that is asked, over keys in memory. */
function storeOf(keys: string[]): Pick<Store, 'scan'> & { scans: number } {
  const sorted = keys.toSorted()
  return {
    scans: 0,
    async scan({ gte, lt, limit }) {
      this.scans += 1
      const found = sorted.filter((key) => key >= gte && key < lt)
      return found.slice(0, limit).map((key) => [key, Buffer.from(key)])
    },
  }
}

async function keysOf(store: Pick<Store, 'scan'>, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const [key] of allPairs(store, prefix)) keys.push(key)
  return keys
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, at) => `record/${String(at).padStart(6, '0')}`)

t.test('every pair comes once, in order, at and around the size of a page', async (t) => {
  const page = LIMITS.recordReadMax
  for (const count of [0, 1, page - 1, page, page + 1, 3 * page]) {
    const keys = numbered(count)
    const store = storeOf(keys.toReversed())
    t.same(await keysOf(store, 'record/'), keys)
    t.equal(store.scans, Math.floor(count / page) + 1)
  }
})

t.test('neighbours of the prefix stay out', async (t) => {
  const store = storeOf(['recorc/z', 'record', 'record/a', 'record/a\0', 'record/b', 'record0'])
  t.same(await keysOf(store, 'record/'), ['record/a', 'record/a\0', 'record/b'])
})
