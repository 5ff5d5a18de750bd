/** Walks a whole table without holding it in memory. */
import { LIMITS } from '../limits.ts'
import { under } from './keys.ts'
import type { Store } from './store.ts'

/** Every committed pair whose key begins with `prefix`, in order, a page at a time. */
export async function* allPairs(
  store: Pick<Store, 'scan'>,
  prefix: string,
): AsyncGenerator<[key: string, value: Uint8Array]> {
  const { lt } = under(prefix)
  for (let gte = prefix; ; ) {
    const page = await store.scan({ gte, lt, limit: LIMITS.recordReadMax })
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < LIMITS.recordReadMax) return
    gte = `${last[0]}\0`
  }
}
