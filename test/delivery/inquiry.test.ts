import type { Test } from 'tap'
import t from 'tap'
import type { MessageFilter } from '../../src/delivery/inquiry.ts'
import { messageId, userId } from '../../src/message/names.ts'
import { alice, bob, LISTED_FOR_MS, Rig } from './rig.ts'

const carol = userId('carol')
const START_MS = Date.UTC(2026, 5, 1)

/** One message of each kind: `done`, `late`, `here` for bob, `hers` for carol. */
async function withMessages(t: Test) {
  const rig = await Rig.open(t)
  await rig.addUser(carol)
  const phone = rig.device(bob, 'phone')
  await rig.send({ id: messageId('done') })
  await phone.ackAll()
  await rig.send({ id: messageId('late'), expiresAfterS: 1 })
  await rig.pass(1_000)
  await rig.pass(1_000)
  phone.leave()
  await rig.send({ id: messageId('here'), payload: 'four' })
  await rig.send({ id: messageId('hers') }, bob, carol)
  const ids = async (filter: Partial<MessageFilter>) =>
    (await rig.inquiry.list({ limit: 10, ...filter })).map(({ id }) => String(id))
  return { rig, phone, ids }
}

t.test('a list shows the newest first, without payloads', async (t) => {
  const { rig, ids } = await withMessages(t)
  t.same(await ids({}), ['hers', 'here', 'late', 'done'])
  t.same((await rig.inquiry.list({ limit: 10 }))[1], {
    id: 'here',
    from: 'alice',
    to: 'bob',
    status: 'stored',
    acceptedAt: '2026-06-01T00:00:02.000Z',
    bytes: 4,
  })
})

t.test('a list is cut at its limit, however many match', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < 1_200; at += 1) rig.hand({ id: messageId(`n${at}`) })
  await rig.quiet()
  const newest = (await rig.inquiry.list({ limit: 3 })).map(({ id }) => String(id))
  t.same(newest, ['n1199', 'n1198', 'n1197'])
  t.equal((await rig.inquiry.list({ limit: 1_000 })).length, 1_000)
})

t.test('each filter narrows the list', async (t) => {
  const { ids } = await withMessages(t)
  t.same(await ids({ user: alice }), ['here', 'late', 'done'])
  t.same(await ids({ user: carol }), ['hers'])
  t.same(await ids({ user: userId('nobody') }), [])
  t.same(await ids({ id: messageId('late') }), ['late'])
  t.same(await ids({ status: 'queued' }), ['hers', 'here'])
  t.same(await ids({ status: 'stored' }), ['hers', 'here'])
  t.same(await ids({ status: 'delivered' }), ['done'])
  t.same(await ids({ status: 'expired' }), ['late'])
  t.same(await ids({ status: 'read' }), [])
  t.same(await ids({ sinceMs: START_MS + 2_000 }), ['hers', 'here'])
  t.same(await ids({ sinceMs: START_MS + 2_001 }), [])
  t.same(await ids({ untilMs: START_MS }), ['late', 'done'])
  t.same(await ids({ untilMs: START_MS - 1 }), [])
  t.same(await ids({ user: alice, status: 'queued' }), ['here'])
})

t.test('a settled message is listed for its time, one that waits always', async (t) => {
  const { rig, ids } = await withMessages(t)
  await rig.pass(LISTED_FOR_MS - 2_000 + 1)
  t.same(await ids({}), ['hers', 'here', 'late', 'done'])
  rig.clock.advance(1)
  t.same(await ids({}), ['hers', 'here', 'late'])
  rig.clock.advance(LISTED_FOR_MS)
  t.same(await ids({}), ['hers', 'here'])
})

t.test('the story of a delivered message has every step with time and place', async (t) => {
  const { rig } = await withMessages(t)
  rig.post.read(alice, bob, messageId('done'), () => undefined)
  await rig.quiet()
  const [trace, ...others] = await rig.inquiry.trace(messageId('done'))
  t.same(others, [])
  t.match(trace, { id: 'done', from: 'alice', to: 'bob', status: 'read', bytes: 5 })
  t.same(trace?.events, [
    { what: 'accepted', at: '2026-06-01T00:00:00.000Z', clock: 'ntp', relay: 'test' },
    {
      what: 'delivered',
      at: '2026-06-01T00:00:00.000Z',
      clock: 'ntp',
      relay: 'test',
      device: 'phone',
    },
    { what: 'read', at: '2026-06-01T00:00:02.000Z', clock: 'ntp', relay: 'test' },
  ])
  t.equal(trace?.next, undefined)
})

t.test('the story of an expired message says why', async (t) => {
  const { rig } = await withMessages(t)
  const [trace] = await rig.inquiry.trace(messageId('late'))
  t.match(trace?.events.at(-1), { what: 'expired', reason: /\w/, at: '2026-06-01T00:00:01.000Z' })
})

t.test('a message that waits says who has it, why, and what happens next', async (t) => {
  const { rig, phone } = await withMessages(t)
  const next = async (id: string) => (await rig.inquiry.trace(messageId(id)))[0]?.next ?? ''
  t.match(await next('hers'), /^test holds it: carol has no device/)
  t.match(await next('here'), /device phone, last seen 2026-06-01T00:00:02.000Z/)
  t.match(await next('here'), /expires after 30 d/)
  phone.come()
  await rig.quiet()
  t.match(await next('here'), /device phone, which is connected/)
})

t.test('of two devices the story tells who has it and who lacks it', async (t) => {
  const { rig, phone } = await withMessages(t)
  rig.device(bob, 'pad').leave()
  phone.come()
  await phone.ackAll()
  const [trace] = await rig.inquiry.trace(messageId('here'))
  t.match(trace?.events, [{ what: 'accepted' }, { what: 'delivered', device: 'phone' }])
  t.match(trace?.next, /pad/)
  t.notMatch(trace?.next, /phone/)
})

t.test('what is left to live is told in words of a fitting size', async (t) => {
  const { rig } = await withMessages(t)
  const left = async (id: string, expiresAfterS: number) => {
    await rig.send({ id: messageId(id), expiresAfterS })
    const [trace] = await rig.inquiry.trace(messageId(id))
    return /expires after (.*) more/.exec(trace?.next ?? '')?.[1]
  }
  t.equal(await left('a', 1), '1 min')
  t.equal(await left('b', 119 * 60), '119 min')
  t.equal(await left('c', 120 * 60), '2 h')
  t.equal(await left('d', 47 * 3600), '47 h')
  t.equal(await left('e', 48 * 3600), '2 d')
})

t.test('an id that two senders chose has two stories, an unknown one none', async (t) => {
  const { rig } = await withMessages(t)
  await rig.send({ id: messageId('hers') })
  t.equal((await rig.inquiry.trace(messageId('hers'))).length, 2)
  t.same(await rig.inquiry.trace(messageId('nothing')), [])
})

t.test('wrong clocks are shown as such', async (t) => {
  const rig = await Rig.open(t)
  rig.clock.trust = 'none'
  rig.clock.jumpWall(-Date.UTC(2026, 5, 1))
  const { id } = await rig.send()
  const [trace] = await rig.inquiry.trace(messageId(id))
  t.match(trace?.events, [{ at: '1970-01-01T00:00:00.000Z', clock: 'none' }])
})
