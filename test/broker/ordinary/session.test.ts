import t from 'tap'
import { LIMITS } from '../../../src/limits.ts'
import { Client, Rig } from './rig.ts'

const many = (count: number) => Array.from({ length: count }, (_, at) => `${at}`)

t.test('the window of the client holds, also for what mail takes of it', async (t) => {
  const rig = await Rig.open(t)
  for (const outlivesS of [0, 3600]) {
    const { client, session } = rig.connect(`bob/${outlivesS}`, { outlivesS })
    client.receiveMaximum = 5
    client.mailInFlight = 2
    rig.subscribe(session, 'a')
    const published = many(40).map((text) => rig.publish('a', text))
    await Promise.all(published)
    await client.received(3)
    t.same(client.texts, ['0', '1', '2'])
    t.equal(session.inFlight, 3)
    for (let at = 0; at < 40; at += 1) {
      await client.received(at + 1)
      session.acknowledged(client.got[at]?.packetId ?? 0)
      session.acknowledged(client.got[at]?.packetId ?? 0)
    }
    t.same(client.texts, many(40))
    t.equal(session.queued, 0)
    client.mailInFlight = 0
    rig.topics.end(session.id)
  }
})

t.test('a socket that takes nothing is waited for, but not with QoS 0', async (t) => {
  const rig = await Rig.open(t)
  const { client, session } = rig.connect('bob/1')
  rig.subscribe(session, 'a')
  client.isCongested = true
  await rig.publish('a', 'passes', { qos: 0 })
  await rig.publish('a', 'waits')
  t.same(client.texts, [])
  client.isCongested = false
  session.pump()
  await client.received(1)
  t.same(client.texts, ['waits'])
})

t.test('what was not acknowledged comes again, as a duplicate, under its identifier', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a', { qos: 2 })
  await rig.publish('a', 'one', { qos: 1 })
  await rig.publish('a', 'two', { qos: 2 })
  await rig.publish('a', 'three', { qos: 2 })
  await first.client.received(3)
  const [one, two, three] = first.client.got
  await new Promise<void>((done) => first.session.received(two?.packetId ?? 0, done))
  first.leave()
  await rig.publish('a', 'four', { qos: 2 })
  await rig.restart()
  const { client, session } = rig.connect('bob/1')
  await client.received(4)
  t.match(client.got, [
    { packetId: one?.packetId, isDuplicate: true, qos: 1 },
    { packetId: three?.packetId, isDuplicate: true, qos: 2 },
    { isDuplicate: false, qos: 2 },
  ])
  t.same(client.texts, ['one', 'three', 'four'])
  t.same(client.released, [two?.packetId], 'only its PUBREL comes again')
  session.acknowledged(two?.packetId ?? 0)
  t.equal(session.queued, 3)
})

t.test('what is new after a restart is no duplicate, and expires', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  for (const text of many(3)) await rig.publish('a', text)
  for (const { packetId } of first.client.got) first.session.acknowledged(packetId)
  first.leave()
  await rig.restart()
  await rig.publish('a', 'short-lived', { deadlineMs: 1_000 })
  await rig.publish('a', 'new')
  rig.clock.advance(1_000)
  const { client } = rig.connect('bob/1')
  await client.received(1)
  t.same(client.texts, ['new'])
  t.match(client.got, [{ isDuplicate: false }])
})

t.test('killed with its client, nobody knows what was sent: all may be duplicates', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  await rig.publish('a', 'one')
  await first.client.received(1)
  await rig.restart()
  const { client } = rig.connect('bob/1')
  await client.received(1)
  t.match(client.got, [{ isDuplicate: true }])
})

t.test('a new message does not overtake what has waited', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  first.leave()
  for (const text of many(50)) await rig.publish('a', text)
  const { client } = rig.connect('bob/1')
  const late = rig.publish('a', 'new')
  await client.received(51)
  await late
  t.same(client.texts, [...many(50), 'new'])
})

t.test('QoS 2 goes out when it is on disk, what comes after it not before', async (t) => {
  const rig = await Rig.open(t)
  const { client, session } = rig.connect('bob/1')
  rig.subscribe(session, 'a', { qos: 2 })
  void rig.publish('a', 'one', { qos: 1 })
  const two = rig.publish('a', 'two', { qos: 2 })
  void rig.publish('a', 'three', { qos: 1 })
  t.same(client.texts, ['one'])
  await two
  await client.received(3)
  t.same(client.texts, ['one', 'two', 'three'])
  const clean = rig.connect('eve/1', { outlivesS: 0 })
  rig.subscribe(clean.session, 'b', { qos: 2 })
  void rig.publish('b', 'at once', { qos: 2 })
  t.same(clean.client.texts, ['at once'], 'where nothing is kept nothing is waited for')
})

t.test('what may not be read, has expired, or is too long, is left out', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, '#')
  first.leave()
  await rig.publish('secret', '1')
  await rig.publish('short-lived', '2', { deadlineMs: 1_000 })
  await rig.publish('lives', '3', { deadlineMs: 9_001 })
  await rig.publish('long', 'x'.repeat(11))
  rig.clock.advance(1_000)
  const client = new Client()
  client.secrets.add('secret')
  client.packetBytesMax = 10
  const { session } = rig.connect('bob/1', { client })
  await client.received(1)
  await rig.publish('a', 'end')
  await client.received(2)
  t.same(client.texts, ['3', 'end'])
  t.match(client.got, [{ expiresInS: 9 }, {}])
  t.equal(session.queued, 2)
})

t.test('what was sent does not expire [MQTT-4.3.3-7]', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  await rig.publish('a', 'sent', { deadlineMs: 1_000 })
  await first.client.received(1)
  first.leave()
  rig.clock.advance(1_000)
  const { client } = rig.connect('bob/1')
  await client.received(1)
  t.match(client.got, [{ isDuplicate: true, expiresInS: 1 }])
})

t.test('an identifier that has come round waits for the one that has it', async (t) => {
  const rig = await Rig.open(t)
  const { client, session } = rig.connect('bob/1', { outlivesS: 0 })
  rig.subscribe(session, 'a')
  await rig.publish('a', 'first')
  // Numbers go on, whoever gets them.
  for (let number = 0; number < 0x7ffe; number += 1) rig.topics.nextNumber()
  await rig.publish('a', 'second')
  t.same(client.texts, ['first'])
  session.acknowledged(client.got[0]?.packetId ?? 0)
  t.same(client.texts, ['first', 'second'])
  t.equal(client.got[0]?.packetId, client.got[1]?.packetId)
})

t.test('at the bound all wait, one more takes the place of the oldest', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  first.leave()
  const max = LIMITS.offlineQueueMessagesMax
  await Promise.all(many(max).map((text) => rig.publish('a', text)))
  t.match(rig.topics.stats, { queued: max, queuedDropped: 0 })
  await rig.publish('a', 'one more')
  t.match(rig.topics.stats, { queued: max, queuedDropped: 1 })
  t.equal(rig.log.texts('warn').length, 1)
  const { client } = rig.connect('bob/1')
  await client.received(max)
  t.same(client.texts, [...many(max).slice(1), 'one more'])
})

t.test('a reader that leaves too much waiting is let go, where that is not kept', async (t) => {
  const rig = await Rig.open(t)
  const { client, session } = rig.connect('bob/1', { outlivesS: 0 })
  const kept = rig.connect('bob/2')
  for (const one of [session, kept.session]) rig.subscribe(one, 'a')
  client.isCongested = true
  kept.client.isCongested = true
  const large = 'x'.repeat(500_000)
  for (let at = 0; at * large.length < LIMITS.outboxBytesMax - large.length; at += 1) {
    await rig.publish('a', large)
  }
  t.notOk(client.isSlow)
  await rig.publish('a', large)
  t.ok(client.isSlow)
  t.notOk(kept.client.isSlow, 'it lies in the store')
})

t.test('a damaged delivery is passed over', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'a')
  first.leave()
  await rig.publish('a', 'one')
  await rig.publish('a', 'two')
  const getMany = rig.store.getMany.bind(rig.store)
  rig.store.getMany = async (keys) => {
    const [, ...sound] = await getMany(keys)
    rig.store.getMany = getMany
    return [undefined, ...sound]
  }
  const { client, session } = rig.connect('bob/1')
  await client.received(1)
  t.same(client.texts, ['two'])
  t.equal(session.queued, 1)
})

t.test('retained messages come as fast as they are taken, and are in no way special', async (t) => {
  const rig = await Rig.open(t)
  const count = 3 * LIMITS.readAheadMax
  for (let at = 0; at < count; at += 1) {
    const qos = (at % 3) as 0 | 1 | 2
    await rig.publish(`a/${at}`, `${at}`, { qos, isRetained: true })
  }
  const { client, session, leave } = rig.connect('bob/1')
  client.receiveMaximum = 2
  const subscription = { qos: 2 } as const
  rig.subscribe(session, 'a/#', subscription)
  session.bring('a/#', { qos: 2, isAsPublished: false, identifiers: [] })
  await client.received(3)
  t.match(client.got, [{ qos: 0, isRetained: true }, { qos: 1 }, { qos: 2 }])
  await rig.store.committed()
  t.equal(client.got.length, 3, 'the window is full')
  leave()
  await rig.restart()
  const again = rig.connect('bob/1')
  await again.client.received(2)
  t.same(again.client.texts, ['1', '2'], 'what was on its way is part of the session')
  t.match(again.client.got, [{ isRetained: true, isDuplicate: true }])
})
