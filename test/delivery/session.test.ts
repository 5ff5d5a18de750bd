import t from 'tap'
import { packetIdOf } from '../../src/delivery/packet-id.ts'
import { boxesReached } from '../../src/delivery/session.ts'
import { LIMITS } from '../../src/limits.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

const INBOX = 'users/bob/inbox/#'

t.test('a delivery carries what a client has to know', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone', { qos: 2 })
  const properties = { contentType: 'text/plain', userProperties: [['a', 'b'] as const] }
  const letter = await rig.send({ properties, expiresAfterS: 60 })
  const [sent] = phone.sent
  t.match(sent, { topic: `users/bob/inbox/alice/${letter.id}`, qos: 1, isDuplicate: false })
  t.same(sent?.properties, properties)
  t.equal(sent?.expiresInS, 60)
  t.same(sent?.marks, [
    ['waypost-accepted-at', '2026-06-01T00:00:00.000Z'],
    ['waypost-from', 'alice'],
  ])
})

t.test('the time left to live shrinks while a message waits', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ expiresAfterS: 60 })
  await rig.pass(20_500)
  const phone = rig.device(bob, 'phone')
  await rig.quiet()
  t.equal(phone.sent[0]?.expiresInS, 40)
})

t.test('the QoS is the lower one of publish and subscription', async (t) => {
  const cases = [
    { sent: 0, granted: 2, expected: 1 },
    { sent: 1, granted: 2, expected: 1 },
    { sent: 2, granted: 1, expected: 1 },
    { sent: 2, granted: 2, expected: 2 },
  ] as const
  for (const { sent, granted, expected } of cases) {
    const rig = await Rig.open(t, {}, `${t.testdir()}/${sent}${granted}`)
    await rig.send({ qos: sent })
    const phone = rig.device(bob, 'phone', { qos: granted })
    await rig.quiet()
    t.equal(phone.sent[0]?.qos, expected, `${sent} to ${granted}`)
  }
})

t.test('of several filters that match the highest QoS counts', async (t) => {
  const rig = await Rig.open(t)
  await rig.send({ qos: 2 })
  const filters = [
    { filter: INBOX, qos: 0 },
    { filter: 'users/bob/inbox/alice/#', qos: 2 },
    { filter: 'users/bob/inbox/alice/+', qos: 1 },
  ] as const
  const phone = rig.device(bob, 'phone', { filters })
  await rig.quiet()
  t.match(phone.sent, [{ qos: 2 }])
  t.equal(phone.sent.length, 1)
})

t.test('a subscription with QoS 0 gets copies and empties nothing', async (t) => {
  const rig = await Rig.open(t)
  const screen = rig.device(bob, 'screen', { qos: 0 })
  const before = await rig.send()
  t.match(screen.sent, [{ qos: 0, packetId: 0 }])
  const phone = rig.device(bob, 'phone')
  const after = await rig.send()
  t.same(screen.ids, [before.id, after.id])
  t.match(rig.counts.ledger, { delivered: 0, queued: 2 })
  await phone.ackAll()
  t.same(phone.ids, [before.id, after.id])
  t.match(rig.counts.ledger, { delivered: 2, queued: 0 })
})

t.test('QoS 0 gets no backlog, and raised to QoS 1 all of it', async (t) => {
  const rig = await Rig.open(t)
  const letter = await rig.send()
  const screen = rig.device(bob, 'screen', { qos: 0 })
  await rig.quiet()
  t.same(screen.ids, [])
  screen.subscribe([{ filter: INBOX, qos: 1 }])
  await screen.ackAll()
  t.same(screen.ids, [letter.id])
})

t.test('a client’s Receive Maximum is the window where it is the smaller', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < 5; at += 1) rig.hand()
  const phone = rig.device(bob, 'phone', { receiveMaximum: 2 })
  await rig.quiet()
  t.equal(phone.ids.length, 2)
  phone.ack(1)
  await rig.quiet()
  t.equal(phone.ids.length, 3)
})

t.test('inbox and receipts share one window', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < 5; at += 1) rig.hand({}, bob, bob)
  const phone = rig.device(bob, 'phone', { receiveMaximum: 3 })
  await rig.quiet()
  t.equal(phone.sent.length, 3)
  await phone.ackAll()
  t.equal(phone.ids.length, 5)
  t.equal(phone.receipts.length, 15)
})

t.test('a slow socket pauses deliveries until it has taken what waits', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  phone.isCongested = true
  const letter = await rig.send()
  t.same(phone.ids, [])
  phone.isCongested = false
  phone.session.resume()
  await rig.quiet()
  t.same(phone.ids, [letter.id])
})

t.test('a slow socket gets no copies with QoS 0 either', async (t) => {
  const rig = await Rig.open(t)
  const screen = rig.device(bob, 'screen', { qos: 0 })
  screen.isCongested = true
  await rig.send()
  t.same(screen.sent, [])
})

t.test('a second sending is marked as one, a first one is not', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  phone.leave()
  const second = await rig.send()
  phone.come()
  await rig.quiet()
  t.same(
    phone.sent.map(({ isDuplicate }) => isDuplicate),
    [false, true, false],
  )
  t.equal(phone.ids.at(-1), second.id)
})

t.test('a packet identifier follows from the entry, so it is the same after a crash', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  const next = await rig.crash()
  const again = next.device(bob, 'phone')
  await next.quiet()
  t.equal(again.sent[0]?.packetId, phone.sent[0]?.packetId)
})

t.test('two entries with one packet identifier go one after the other', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const first = await rig.send()
  const [{ packetId } = { packetId: 0 }] = phone.sent
  // Numbers go on until one meets the identifier again.
  while (packetIdOf(rig.journal.nextSeq() + 1) !== packetId);
  const second = await rig.send()
  const third = await rig.send()
  t.same(phone.ids, [first.id], 'what comes behind it waits, too')
  await phone.ackAll()
  t.same(phone.ids, [first.id, second.id, third.id])
  t.same(phone.sent.map((sent) => sent.packetId).slice(0, 2), [packetId, packetId])
})

t.test('an unknown acknowledgement changes nothing', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  phone.session.completed(1)
  phone.session.completed(0xffff)
  await rig.quiet()
  t.match(rig.counts.ledger, { delivered: 0, queued: 1 })
})

t.test('a new connection takes over from one that has not ended', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  const letter = await rig.send()
  const older = phone.session
  phone.come()
  await rig.quiet()
  older.completed(phone.sent[0]?.packetId ?? 0)
  t.match(rig.counts.ledger, { delivered: 0, queued: 1 }, 'the old one has no say any more')
  rig.post.disconnected(older)
  t.equal(rig.post.sessionsOf(bob).length, 1)
  await phone.ackAll()
  t.same(phone.ids, [letter.id, letter.id])
  t.match(rig.counts.ledger, { delivered: 1, queued: 0 })
})

t.test(
  'a subscription that comes through after the connection has ended opens nothing',
  async (t) => {
    const rig = await Rig.open(t)
    const phone = rig.device(bob, 'phone', { filters: [] })
    const { session } = phone
    phone.leave()
    session.subscribed([{ filter: 'users/bob/#', qos: 1 }])
    await rig.quiet()
    for (const box of ['inbox', 'receipts'] as const) {
      t.equal(rig.mailboxes.of(box, bob).listeners.size, 0)
    }
  },
)

t.test('what was on its way when a connection was taken over survives a crash', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  phone.leave()
  const sent = [rig.hand().id, rig.hand().id, rig.hand().id]
  await rig.quiet()
  phone.come()
  await rig.quiet()
  const older = phone.session
  phone.come()
  rig.post.disconnected(older)
  await rig.quiet()
  const next = await rig.crash()
  const again = next.device(bob, 'phone')
  await again.ackAll()
  t.same(again.ids, sent)
})

t.test('a device that holds no mail leaves no trace in the store', async (t) => {
  const rig = await Rig.open(t)
  await rig.send()
  const screen = rig.device(bob, 'screen', { qos: 0 })
  screen.leave()
  t.same(await rig.keys('cursor/'), [])
  const phone = rig.device(bob, 'phone')
  phone.leave()
  t.same(await rig.keys('cursor/'), ['cursor/inbox/bob/phone'])
})

t.test('filters open the boxes that they reach, and no others', async (t) => {
  const reached = (...filters: string[]) =>
    boxesReached(
      'bob',
      filters.map((filter) => ({ filter, qos: 1 })),
    )
  t.same(reached(), [])
  t.same(reached('users/bob/inbox/#'), ['inbox'])
  t.same(reached('users/bob/receipts/alice/+'), ['receipts'])
  t.same(reached('users/bob/#'), ['inbox', 'receipts'])
  t.same(reached('#'), ['inbox', 'receipts'])
  t.same(reached('users/bobby/inbox/#', 'users/+/presence', 'users/bob/inbox/alice'), [])
})

t.test('the window is never larger than the relay’s own', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < LIMITS.inFlightPerDeviceMax + 5; at += 1) {
    rig.hand({ id: messageId(`n${at}`) }, alice)
  }
  const phone = rig.device(bob, 'phone', { receiveMaximum: 65_535 })
  await rig.quiet()
  t.equal(phone.ids.length, LIMITS.inFlightPerDeviceMax)
})
