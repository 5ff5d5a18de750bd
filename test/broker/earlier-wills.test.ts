import t from 'tap'
import { EarlierWills } from '../../src/broker/earlier-wills.ts'
import type { OrdinaryTopics } from '../../src/broker/ordinary/topics.ts'
import type { Will } from '../../src/broker/ordinary/wills.ts'
import { ManualClock } from '../support/manual-clock.ts'

function scene(wills: Record<string, { delayS: number; outlivesS: number }>) {
  const clock = new ManualClock()
  const published: string[] = []
  const stored = new Map(Object.entries(wills))
  const topics = {
    outlivesS: (id: string) => stored.get(id)?.outlivesS ?? 0,
    wills: {
      async *all() {
        for (const [id, { delayS }] of stored) yield [id, { delayS } as Will]
      },
      delete: (id: string) => stored.delete(id),
    },
  } as unknown as OrdinaryTopics
  const publish = (id: string) => published.push(id)
  return { clock, published, stored, earlier: new EarlierWills({ clock, topics, publish }) }
}

t.test('those without a delay, or without a session, are due at once', async (t) => {
  const { earlier, published, stored } = scene({
    'a/1': { delayS: 0, outlivesS: 100 },
    'b/1': { delayS: 50, outlivesS: 0 },
    'c/1': { delayS: 50, outlivesS: 100 },
  })
  await earlier.start()
  t.same(published, ['a/1', 'b/1'])
  t.same([...stored.keys()], ['c/1'])
})

t.test('others after their delay, or the end of the session, unless taken back', async (t) => {
  const { earlier, published, clock } = scene({
    'a/1': { delayS: 50, outlivesS: 100 },
    'b/1': { delayS: 50, outlivesS: 20 },
    'c/1': { delayS: 50, outlivesS: 100 },
  })
  await earlier.start()
  clock.advance(19_999)
  t.same(published, [])
  clock.advance(1)
  t.same(published, ['b/1'])
  earlier.cancel('c/1')
  earlier.cancel('nobody')
  clock.advance(30_000)
  t.same(published, ['b/1', 'a/1'])
})

t.test('none when the relay has stopped: they are for the next start', async (t) => {
  const { earlier, published, stored, clock } = scene({ 'a/1': { delayS: 5, outlivesS: 9 } })
  await earlier.start()
  earlier.stop()
  clock.advance(60_000)
  t.same(published, [])
  t.equal(stored.size, 1)
})
