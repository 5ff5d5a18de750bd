import t from 'tap'
import { LossNotice } from '../../../src/broker/ordinary/loss-notice.ts'
import { Retained } from '../../../src/broker/ordinary/retained.ts'
import type { Store } from '../../../src/store/store.ts'
import { KeptLog } from '../../support/kept-log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { freshStore, message } from './rig.ts'

function retainedOf(store: Store, retainedMax = 10) {
  const log = new KeptLog()
  const refused = new LossNotice({ clock: new ManualClock(), log }, { text: 'refused' })
  const retained = new Retained({ store, refused }, { retainedMax })
  return { retained, refused, log }
}

const topics = (retained: Retained, filter: string) => [...retained.topics(filter)]

async function texts(retained: Retained, filter: string): Promise<(string | undefined)[]> {
  const found = await retained.read(topics(retained, filter))
  return found.map((one) => one && Buffer.from(one.payload).toString())
}

t.test('filters find retained messages, also over an empty level, never $ topics', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  const all = ['foo//baz', 'foo/bar/baz', '/x', 'x', '$SYS/x', '__proto__', 'constructor']
  for (const topic of all) retained.set(message(topic, 'p'))
  t.same(topics(retained, 'foo/+/baz'), ['foo//baz', 'foo/bar/baz'])
  t.same(topics(retained, '+/x'), ['/x'])
  t.same(
    topics(retained, '#'),
    all.filter((topic) => topic !== '$SYS/x'),
  )
  t.same(topics(retained, '$SYS/#'), ['$SYS/x'])
  t.same(await texts(retained, '$SYS/#'), ['p'])
  t.same(topics(retained, '__proto__'), ['__proto__'])
})

t.test('the last message of a topic counts, and an empty one removes it', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  retained.set(message('a', ''))
  retained.set(message('a', '1'))
  retained.set(message('a', '2'))
  t.same(await texts(retained, 'a'), ['2'])
  const found = topics(retained, '#')
  retained.set(message('a', ''))
  t.same(topics(retained, '#'), [])
  t.same(await retained.read(found), [undefined], 'gone since it was found')
  t.equal(retained.size, 0)
})

t.test('what the relay says of itself is kept in memory alone', async (t) => {
  const store = await freshStore(t)
  const { retained } = retainedOf(store, 0)
  t.ok(retained.hasRoom('$SYS/broker/uptime'))
  const payload = Buffer.from('1 second')
  retained.set({ ...message('$SYS/broker/uptime', ''), payload })
  payload.fill(0)
  t.same(await texts(retained, '$SYS/#'), ['1 second'])
  t.equal(retained.size, 0)
})

t.test('at the bound known topics are kept, a new one is counted and told', async (t) => {
  const { retained, refused, log } = retainedOf(await freshStore(t), 2)
  for (const topic of ['a', 'b']) retained.set(message(topic, '1'))
  t.equal(refused.total, 0)
  t.equal(retained.hasRoom('a'), true)
  t.equal(retained.hasRoom('c'), false)
  retained.set(message('c', '1'))
  retained.set(message('a', '2'))
  t.equal(refused.total, 1)
  t.equal(log.lines.length, 1)
  t.same(await texts(retained, '#'), ['2', '1'])
  retained.set(message('a', ''))
  t.equal(retained.hasRoom('c'), true)
})

t.test('a start takes the topics from the keys', async (t) => {
  const { retained } = retainedOf(await freshStore(t))
  retained.visit('retained/a%2Fb')
  t.equal(retained.size, 1)
  t.equal(retained.hasRoom('a/b'), true)
})
