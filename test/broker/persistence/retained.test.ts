import t from 'tap'
import { LossNotice } from '../../../src/broker/persistence/loss-notice.ts'
import { Retained } from '../../../src/broker/persistence/retained.ts'
import type { Store } from '../../../src/store/store.ts'
import { freshStore, KeptLog, listOf, ManualClock, payloads } from './rig.ts'

function retainedOf(store: Store, retainedMax = 10) {
  const log = new KeptLog()
  const refused = new LossNotice({ clock: new ManualClock(), log }, { text: 'refused' })
  const retained = new Retained({ store, log, refused }, { retainedMax, readAheadMax: 2 })
  return { retained, refused, log }
}

const found = async (retained: Retained, ...filters: string[]) =>
  (await listOf(retained.matching(filters))).map(({ topic }) => topic)

t.test(
  'filters find retained messages, also over an empty level, and never $ topics',
  async (t) => {
    const { retained } = retainedOf(await freshStore(t))
    const topics = ['foo//baz', 'foo/bar/baz', '/x', 'x', '$SYS/x', '__proto__', 'constructor']
    for (const topic of topics) retained.set({ topic, payload: 'p' })
    t.same(await found(retained, 'foo/+/baz'), ['foo//baz', 'foo/bar/baz'])
    t.same(await found(retained, '+/x'), ['/x'])
    t.same(await found(retained, '#'), [
      'foo//baz',
      'foo/bar/baz',
      '/x',
      'x',
      '__proto__',
      'constructor',
    ])
    t.same(await found(retained, '$SYS/#'), ['$SYS/x'])
    t.same(await found(retained, '__proto__', 'nothing'), ['__proto__'])
  },
)

t.test('each of several filters brings what it matches', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  retained.set({ topic: 'a/b', payload: 'p' })
  t.same(await found(retained, 'a/+', 'a/#'), ['a/b', 'a/b'])
})

t.test('the last packet of a topic counts, and an empty one removes it', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  retained.set({ topic: 'a', payload: '' })
  retained.set({ topic: 'a', payload: '1' })
  retained.set({ topic: 'a', payload: '2' })
  t.same(payloads(await listOf(retained.matching(['a']))), ['2'])
  retained.set({ topic: 'a', payload: Buffer.alloc(0) })
  t.same(await found(retained, '#'), [])
  t.equal(retained.size, 0)
})

t.test('at the bound known topics are kept, a new one is counted and told', async (t) => {
  const { retained, refused, log } = retainedOf(await freshStore(t), 2)
  for (const topic of ['a', 'b']) retained.set({ topic, payload: '1' })
  t.equal(refused.total, 0)
  t.equal(retained.hasRoom('a'), true)
  t.equal(retained.hasRoom('c'), false)
  retained.set({ topic: 'c', payload: '1' })
  retained.set({ topic: 'a', payload: '2' })
  t.equal(refused.total, 1)
  t.equal(log.lines.length, 1)
  t.same(payloads(await listOf(retained.matching(['#']))), ['2', '1'])
  retained.set({ topic: 'a', payload: '' })
  t.equal(retained.hasRoom('c'), true)
})

t.test(
  'what cannot be read ends the stream and is told: an error would end the process',
  async (t) => {
    const store = await freshStore(t)
    const { retained, log } = retainedOf(store)
    retained.set({ topic: 'a', payload: '1' })
    store.replace('retained/a', Uint8Array.of(0x1f))
    t.same(await found(retained, '#'), [])
    t.equal(log.lines.length, 1)
  },
)

t.test('a start takes the topics from the keys', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  retained.visit('retained/a%2Fb')
  t.equal(retained.size, 1)
  t.equal(retained.hasRoom('a/b'), true)
})
