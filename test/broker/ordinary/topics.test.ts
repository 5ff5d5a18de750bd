import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LIMITS } from '../../../src/limits.ts'
import { Client, message, Rig } from './rig.ts'

t.test('over 10 restarts order is kept and nothing is overwritten', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  rig.subscribe(first.session, 'news/#')
  first.leave()
  const all: string[] = []
  for (let run = 0; run < 10; run += 1) {
    for (let at = 0; at < 12; at += 1) {
      all.push(`${run} ${at}`)
      await rig.publish('news/today', `${run} ${at}`)
    }
    await rig.restart()
  }
  const { client } = rig.connect('bob/1')
  await client.received(all.length)
  t.same(client.texts, all)
})

t.test('a restart brings back everything', async (t) => {
  const rig = await Rig.open(t)
  const first = rig.connect('bob/1')
  const options = { qos: 2, isNoLocal: true, isAsPublished: true, identifier: 9 } as const
  rig.subscribe(first.session, 'a/+', options)
  rig.subscribe(first.session, 'b', { qos: 0 })
  rig.topics.began(first.session, 7)
  first.leave()
  rig.topics.wills.set('bob/1', { ...message('w', 'gone'), properties: {}, delayS: 0 })
  await rig.publish('a/1', 'kept', { isRetained: true, qos: 2 })
  const before = rig.topics.stats
  await rig.restart()
  t.same(rig.topics.stats, before)
  t.match(before, { sessions: 1, subscriptions: 2, queued: 1, retained: 1, incoming: 1, wills: 1 })
  t.ok(rig.topics.has('bob/1'))
  const { client, session } = rig.connect('bob/1')
  t.match(
    [...session.subscriptions],
    [
      ['a/+', options],
      ['b', { qos: 0 }],
    ],
  )
  t.same([...rig.topics.unfinished(session)], [7])
  await client.received(1)
  t.match(client.got, [{ topic: 'a/1', qos: 2, isRetained: true, identifiers: [9] }])
})

t.test('one copy of overlapping filters, and none of what No Local keeps away', async (t) => {
  const rig = await Rig.open(t)
  const { client, session } = rig.connect('bob/1', { outlivesS: 0 })
  rig.subscribe(session, 'a/#', { qos: 0, identifier: 1 })
  rig.subscribe(session, 'a/b', { qos: 2, identifier: 2, isNoLocal: true })
  await rig.publish('a/b', 'of others', { qos: 2 })
  await rig.publish('a/b', 'own', { qos: 2 }, session)
  t.match(client.got, [
    { qos: 2, identifiers: [1, 2] },
    { qos: 0, identifiers: [1] },
  ])
  t.equal(client.got.length, 2)
})

t.test('of a group each message goes to one, in turn, to who is here first', async (t) => {
  const rig = await Rig.open(t)
  const members = ['a/1', 'b/1', 'c/1'].map((id) => rig.connect(id))
  for (const { session } of members) {
    rig.subscribe(session, '$share/g/jobs/#', { filter: 'jobs/#', group: 'g' })
  }
  for (let at = 0; at < 6; at += 1) await rig.publish('jobs/x', `${at}`)
  t.same(
    members.map(({ client }) => client.got.length),
    [2, 2, 2],
  )
  const [first, second, third] = members
  first?.leave()
  second?.client.secrets.add('jobs/x')
  for (let at = 0; at < 3; at += 1) await rig.publish('jobs/x', `more ${at}`)
  t.same(
    members.map(({ client }) => client.got.length),
    [2, 2, 5],
  )
  second?.leave()
  third?.leave()
  await rig.publish('jobs/x', 'waits')
  t.equal(rig.topics.stats.queued, 10, 'with one of those who are away')
})

t.test('who is in two groups, and subscribed beside, gets three', async (t) => {
  const rig = await Rig.open(t)
  for (const outlivesS of [0, 3600]) {
    const { client, session } = rig.connect('bob/1', { outlivesS })
    rig.subscribe(session, 'jobs/#')
    for (const group of ['g', 'h']) {
      rig.subscribe(session, `$share/${group}/jobs/#`, { filter: 'jobs/#', group })
    }
    await rig.publish('jobs/x', 'x')
    t.equal(client.got.length, 3)
    t.equal(new Set(client.got.map(({ packetId }) => packetId)).size, 3)
    rig.topics.end('bob/1')
  }
})

t.test('a session that is not kept ends with its connection, one that is waits', async (t) => {
  const rig = await Rig.open(t)
  const clean = rig.connect('bob/1', { outlivesS: 0 })
  const kept = rig.connect('bob/2', { outlivesS: 10 })
  for (const { session } of [clean, kept]) rig.subscribe(session, 'a')
  clean.leave()
  kept.leave()
  clean.leave()
  t.notOk(rig.topics.has('bob/1'))
  t.match(rig.topics.stats, { sessions: 1, subscriptions: 1 })
  await rig.publish('a', 'x')
  rig.clock.advance(10_000)
  t.match(rig.topics.stats, { sessions: 0, subscriptions: 0, queued: 0 })
  await rig.restart()
  t.match(rig.topics.stats, { sessions: 0, subscriptions: 0, queued: 0 })
})

t.test('sessions of an account are bounded; at the bound all are kept', async (t) => {
  const rig = await Rig.open(t)
  for (let at = 0; at < LIMITS.sessionsPerAccountMax; at += 1) {
    rig.connect(`bob/${at}`).leave()
    rig.clock.advance(1)
  }
  t.ok(rig.topics.has('bob/0'))
  rig.connect('bob/one more')
  t.notOk(rig.topics.has('bob/0'))
  t.equal(rig.topics.stats.sessions, LIMITS.sessionsPerAccountMax)
})

t.test('an ended session takes nothing along but what is its own', async (t) => {
  const rig = await Rig.open(t)
  const clients = new Map<string, Client>()
  const ids = ['bob/1', 'bob/11', 'bob/1/x', '__proto__/1']
  for (const id of ids) {
    const { client, session, leave } = rig.connect(id)
    clients.set(id, client)
    rig.subscribe(session, 'a')
    rig.topics.wills.set(id, { ...message('w', 'gone'), properties: {}, delayS: 0 })
    leave()
  }
  await rig.publish('a', 'x')
  await rig.topics.endSessions((id) => id === 'bob/1')
  t.match(rig.topics.stats, { sessions: 3, queued: 3, wills: 3 })
  rig.topics.end('nobody/1')
  await rig.restart()
  t.match(rig.topics.stats, { sessions: 3, subscriptions: 3, queued: 3, wills: 3 })
  t.same(
    ids.map((id) => rig.topics.has(id)),
    [false, true, true, true],
  )
})

t.test('a publish is in one commit, which a power cut leaves whole or not at all', async (t) => {
  const rig = await Rig.open(t)
  for (const id of ['bob/1', 'eve/1']) {
    const { session, leave } = rig.connect(id)
    rig.subscribe(session, 'a', { qos: 2 })
    leave()
  }
  const sender = rig.connect('carl/1')
  await rig.store.committed()
  const before = join(t.testdirName, 'before')
  cpSync(rig.path, before, { recursive: true })
  const { commits } = rig.store.stats
  rig.topics.began(sender.session, 7)
  await rig.publish('a', 'p'.repeat(500), { qos: 2, isRetained: true }, sender.session)
  t.equal(rig.store.stats.commits, commits + 1)
  const [log = ''] = globSync('pairs-*/*.log', { cwd: rig.path })
  const bytes = readFileSync(join(rig.path, log))
  const old = readFileSync(join(before, log)).length
  const found = new Set<string>()
  for (let part = 0; part <= 6; part += 1) {
    const path = join(t.testdirName, `cut ${part}`)
    cpSync(before, path, { recursive: true })
    const length = old + Math.floor(((bytes.length - old) * part) / 6)
    writeFileSync(join(path, log), bytes.subarray(0, length))
    const { topics } = await Rig.open(t, path)
    const { retained, queued, incoming } = topics.stats
    found.add(`${retained} ${queued} ${incoming}`)
  }
  t.same([...found], ['0 0 0', '1 2 1'])
})

t.test('a packet id that was released is free after a restart', async (t) => {
  const rig = await Rig.open(t)
  const { session } = rig.connect('bob/1')
  rig.topics.began(session, 1)
  rig.topics.began(session, 2)
  await new Promise<void>((done) => rig.topics.finished(session, 1, done))
  await new Promise<void>((done) => rig.topics.finished(session, 9, done))
  await rig.restart()
  t.same([...rig.topics.unfinished(rig.connect('bob/1').session)], [2])
})

t.test('unfinished publishes are bounded; those of a clean session are not written', async (t) => {
  const rig = await Rig.open(t)
  const { session } = rig.connect('bob/1')
  for (let id = 1; id <= LIMITS.incomingPerSessionMax; id += 1) rig.topics.began(session, id)
  t.throws(() => rig.topics.began(session, 60_000), { code: 'SENDER_FULL' })
  const clean = rig.connect('bob/2', { outlivesS: 0 })
  rig.topics.began(clean.session, 1)
  t.equal(rig.topics.stats.incoming, LIMITS.incomingPerSessionMax)
})

t.test('where nothing has to be kept nothing is waited for', async (t) => {
  const rig = await Rig.open(t)
  const { session } = rig.connect('bob/1', { outlivesS: 0 })
  rig.subscribe(session, 'a')
  let isSafe = false
  rig.topics.publish(message('a', 'x'), undefined, () => {
    isSafe = true
  })
  t.ok(isSafe)
  rig.topics.publish(message('a', 'x', { isRetained: true }), undefined, () => {
    isSafe = false
  })
  t.ok(isSafe, 'but for what is')
  await rig.store.committed()
  t.notOk(isSafe)
})

t.test('with QoS 0 all get the same packet, but for their identifiers', async (t) => {
  const rig = await Rig.open(t)
  const outgoings: unknown[] = []
  for (const [id, identifier] of [['a/1'], ['b/1'], ['c/1', 5]] as const) {
    const client = new Client()
    client.publish = (outgoing) => {
      outgoings.push(outgoing)
      return true
    }
    const { session } = rig.connect(id, { client })
    rig.subscribe(session, 'a', { qos: 0, identifier })
  }
  await rig.publish('a', 'x')
  const [first, second, third] = outgoings
  t.equal(first, second)
  t.match(third, { identifiers: [5] })
})

t.test('keys of other tables are passed over at the start', async (t) => {
  const { topics } = await Rig.open(t)
  topics.visit('entry/origin/1', Uint8Array.of(1))
  t.same(Object.values(topics.stats), [0, 0, 0, 0, 0, 0, 0, 0])
})
