import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, LISTED_FOR_MS, Rig } from './rig.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

t.test('a message expires at its age, and not a millisecond before', async (t) => {
  const rig = await Rig.open(t)
  const pc = rig.device(alice, 'pc')
  const { id } = await rig.send({ expiresAfterS: 60 })
  await rig.pass(59_999)
  t.match(rig.counts.ledger, { queued: 1, expired: 0 })
  await rig.pass(1)
  await pc.ackAll()
  t.same(pc.story(id), ['stored', 'expired'])
  t.match(pc.receipts.at(-1), { reason: /\w/ })
  t.same(await rig.keys('box/inbox/'), [])
  t.match(rig.counts.ledger, { accepted: 1, delivered: 0, queued: 0, expired: 1 })
})

t.test('the wall clock may jump by years, and nothing expires early or late', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 60 })
  for (const years of [10, -40, 30]) {
    rig.clock.jumpWall(years * 365 * DAY_MS)
    await rig.pass(10_000)
  }
  t.match(rig.counts.ledger, { queued: 1, expired: 0 })
  await rig.restart()
  rig.clock.jumpWall(100 * 365 * DAY_MS)
  await rig.pass(29_999)
  t.match(rig.counts.ledger, { queued: 1, expired: 0 })
  await rig.pass(1)
  t.match(rig.counts.ledger, { queued: 0, expired: 1 })
})

t.test('the relay’s own bound is the upper one', async (t) => {
  const rig = await Rig.open(t, { expiresAfterS: 100 })
  await rig.send({ expiresAfterS: 1_000 })
  await rig.send()
  await rig.send({ expiresAfterS: 10 })
  await rig.pass(10_000)
  t.match(rig.counts.ledger, { queued: 2, expired: 1 })
  await rig.pass(89_999)
  t.match(rig.counts.ledger, { queued: 2, expired: 1 })
  await rig.pass(1)
  t.match(rig.counts.ledger, { queued: 0, expired: 3 })
})

t.test('time without power does not count', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 60 })
  await rig.pass(30_000)
  const path = rig.path
  await rig.end()
  rig.clock.advance(30 * DAY_MS)
  const next = await Rig.open(t, {}, path)
  await next.pass(29_999)
  t.match(next.counts.ledger, { queued: 1, expired: 0 })
})

t.test('a crash takes back no more age than since it was last written', async (t) => {
  const rig = await Rig.open(t)
  rig.janitor.start()
  await rig.send({ expiresAfterS: 3 * 600 })
  await rig.pass(LIMITS.ageSaveMsMax)
  await rig.pass(LIMITS.ageSaveMsMax - 1)
  const next = await rig.crash()
  t.equal(next.journal.ageMs(), LIMITS.ageSaveMsMax)
  await rig.janitor.stop()
})

t.test('what arrives while a box is looked through expires in its time as well', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 1 })
  rig.clock.advance(1_000)
  rig.disk.holdReads()
  const sweep = rig.janitor.sweep()
  rig.hand({ expiresAfterS: 1 })
  await rig.store.committed()
  rig.disk.letReadsGo()
  await sweep
  await rig.pass(1_000)
  t.match(rig.counts.ledger, { accepted: 2, expired: 2, queued: 0 })
})

t.test('what is acknowledged after it expired changes nothing', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const pc = rig.device(alice, 'pc')
  const { id } = await rig.send({ expiresAfterS: 1 })
  await rig.pass(1_000)
  await phone.ackAll()
  await pc.ackAll()
  t.same(pc.story(id), ['stored', 'expired'])
  t.match(rig.counts.ledger, { accepted: 1, expired: 1, delivered: 0, queued: 0 })
})

t.test('rounds follow each other by the clock, until they are stopped', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 1 })
  rig.janitor.start()
  rig.janitor.start()
  const timers = rig.clock.timers
  rig.clock.advance(LIMITS.sweepMs)
  await rig.quiet()
  t.match(rig.counts.ledger, { expired: 1 })
  await rig.send({ expiresAfterS: 1 })
  rig.clock.advance(LIMITS.sweepMs)
  await rig.quiet()
  t.match(rig.counts.ledger, { expired: 2 })
  t.equal(rig.clock.timers, timers)
  await rig.janitor.stop()
  await rig.janitor.stop()
  t.equal(rig.clock.timers, timers - 1)
})

t.test('a round that fails is followed by the next', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 1 })
  const box = rig.mailboxes.of('inbox', bob)
  const scan = box.scan.bind(box)
  box.scan = () => Promise.reject(new Error('the disk is away'))
  rig.janitor.start()
  rig.clock.advance(LIMITS.sweepMs)
  await rig.quiet()
  t.match(rig.log.texts('error'), [/a sweep failed/])
  box.scan = scan
  rig.clock.advance(LIMITS.sweepMs)
  await rig.quiet()
  t.match(rig.counts.ledger, { expired: 1, queued: 0 })
  await rig.janitor.stop()
})

t.test('boxes that hold and serve nothing are forgotten', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  rig.hand({}, bob, bob)
  await phone.ackAll()
  await rig.pass(1_000)
  t.equal([...rig.mailboxes.all()].length, 2, 'the phone is here')
  phone.leave()
  await rig.pass(1_000)
  t.same([...rig.mailboxes.all()], [])
})

t.test('a record leaves when it is listed no longer and no retry can meet it', async (t) => {
  const cases = [
    { what: 'list', listedForMs: LISTED_FOR_MS, expiresAfterS: 60, leavesMs: LISTED_FOR_MS },
    { what: 'a day for retries', listedForMs: 0, expiresAfterS: 60, leavesMs: DAY_MS },
    { what: 'deadline', listedForMs: 0, expiresAfterS: 30 * 86_400, leavesMs: 30 * DAY_MS },
  ]
  for (const { what, listedForMs, expiresAfterS, leavesMs } of cases) {
    const rig = await Rig.open(t, { listedForMs }, `${t.testdir()}/${expiresAfterS}${listedForMs}`)
    const phone = rig.device(bob, 'phone')
    rig.hand({ id: messageId('same'), expiresAfterS })
    await phone.ackAll()
    await rig.pass(leavesMs - HOUR_MS)
    t.equal((await rig.keys('record/')).length, 1, `${what}: still there an hour before`)
    t.equal((await rig.send({ id: messageId('same') })).state, 'accepted')
    t.match(rig.counts.ledger, { accepted: 1 })
    await rig.pass(HOUR_MS + 1)
    t.same(await rig.keys('record/'), [], `${what}: gone`)
  }
})

t.test('the record of a message that waits stays, however long', async (t) => {
  const rig = await Rig.open(t)
  await rig.send()
  await rig.pass(29 * DAY_MS)
  t.equal((await rig.keys('record/')).length, 1)
})

t.test('listed for ever means for ever', async (t) => {
  const rig = await Rig.open(t, { listedForMs: Number.POSITIVE_INFINITY })
  const phone = rig.device(bob, 'phone')
  rig.hand()
  await phone.ackAll()
  await rig.pass(1_000 * DAY_MS)
  t.equal((await rig.keys('record/')).length, 1)
})

t.test('with retention for ever the records stay with the payloads', async (t) => {
  const rig = await Rig.open(t, { keepsPayloads: true })
  const phone = rig.device(bob, 'phone')
  rig.hand()
  await phone.ackAll()
  await rig.pass(1_000 * DAY_MS)
  t.equal((await rig.keys('record/')).length, 1)
})

t.test('a device that is not seen for long no longer holds mail back', async (t) => {
  const rig = await Rig.open(t, { expiresAfterS: 90 * 86_400 })
  const phone = rig.device(bob, 'phone')
  const pad = rig.device(bob, 'pad')
  pad.leave()
  const had = await rig.send()
  phone.ack()
  await rig.pass(LIMITS.deviceIdleMsMax)
  t.match(rig.counts.ledger, { delivered: 0, queued: 1 })
  await rig.pass(HOUR_MS)
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
  t.match(rig.log.texts('warn'), [/has not been seen/])
  pad.come()
  const next = await rig.send()
  t.same(pad.ids, [next.id], `it gets new mail, not ${had.id}`)
  phone.ack()
  await rig.quiet()
  t.match(rig.counts.ledger, { delivered: 1, queued: 1 }, 'and holds it again')
})

t.test('a device that is here never lapses', async (t) => {
  const rig = await Rig.open(t, { expiresAfterS: 90 * 86_400 })
  const phone = rig.device(bob, 'phone')
  rig.device(bob, 'pad')
  await rig.send()
  phone.ack()
  await rig.pass(2 * LIMITS.deviceIdleMsMax)
  t.match(rig.counts.ledger, { delivered: 0, queued: 1 })
})
