import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Packet } from '../../../src/broker/persistence/packet.ts'
import type { Persistence } from '../../../src/broker/persistence/persistence.ts'
import { EARLIER_RUN } from '../../../src/broker/persistence/wills.ts'
import { listOf, payloads, Rig } from './rig.ts'

const bob = { id: 'bob' }

/** A packet as aedes hands it over, numbered from 1 in each run. */
function numbered(persistence: Persistence, packet: Packet): Packet {
  const broker = persistence.broker as { id: string; counter: number }
  broker.counter += 1
  return { ...packet, brokerId: broker.id, brokerCounter: broker.counter }
}

async function publish(persistence: Persistence, packet: Packet): Promise<Packet> {
  const sent = numbered(persistence, { cmd: 'publish', qos: 1, ...packet })
  if (sent.retain) await persistence.storeRetained(sent)
  const matching = await persistence.subscriptionsByTopic(sent.topic ?? '')
  await persistence.outgoingEnqueueCombi(matching, sent)
  return sent
}

t.test(
  'over 10 restarts with one broker id nothing is overwritten and order is kept',
  async (t) => {
    const rig = await Rig.open(t)
    await rig.persistence.addSubscriptions(bob, [{ topic: 'news/#', qos: 1 }])
    const all: string[] = []
    for (let run = 0; run < 10; run += 1) {
      for (let i = 0; i < 12; i += 1) {
        all.push(`${run} ${i}`)
        await publish(rig.persistence, { topic: 'news/today', payload: `${run} ${i}` })
      }
      await rig.restart()
      t.equal(rig.persistence.broker.counter, 0)
    }
    t.same(payloads(await listOf(rig.persistence.outgoingStream(bob))), all)
    t.equal(rig.persistence.stats.queued, all.length)
  },
)

t.test(
  'messages of an earlier run are found by the names under which they are handed over',
  async (t) => {
    const rig = await Rig.open(t)
    await rig.persistence.addSubscriptions(bob, [{ topic: 'news', qos: 1 }])
    await publish(rig.persistence, { topic: 'news', payload: 'old' })
    await rig.restart()
    await publish(rig.persistence, { topic: 'news', payload: 'new' })
    const [old = {}, young = {}] = await listOf(rig.persistence.outgoingStream(bob))
    await rig.persistence.outgoingUpdate(bob, { ...young, messageId: 1 })
    await rig.persistence.outgoingUpdate(bob, { ...old, messageId: 2 })
    const settled = await rig.persistence.outgoingClearMessageId(bob, { messageId: 1 })
    t.equal(settled?.payload, 'new')
    t.same(payloads(await listOf(rig.persistence.outgoingStream(bob))), ['old'])
  },
)

t.test('bob never gets the queue of bobby, nor loses his own with it', async (t) => {
  const { persistence } = await Rig.open(t)
  for (const id of ['bob', 'bobby', 'bob/by', 'bob:']) {
    await persistence.addSubscriptions({ id }, [{ topic: `to/${id}`, qos: 1 }])
    await publish(persistence, { topic: `to/${id}`, payload: `for ${id}` })
  }
  await persistence.cleanSubscriptions({ id: 'bobby' })
  const queueOf = async (id: string) => payloads(await listOf(persistence.outgoingStream({ id })))
  t.same(await queueOf('bobby'), [])
  for (const id of ['bob', 'bob/by', 'bob:']) t.same(await queueOf(id), [`for ${id}`])
})

t.test('a restart brings back everything', async (t) => {
  const rig = await Rig.open(t)
  const wanted = { topic: 'a/+', qos: 2, rh: 1, rap: true, nl: true, subscriptionIdentifier: 9 }
  await rig.persistence.addSubscriptions(bob, [wanted, { topic: 'b', qos: 0 }])
  await publish(rig.persistence, { topic: 'a/1', payload: Buffer.from('kept'), retain: true })
  await rig.persistence.incomingStorePacket(bob, { topic: 'a/2', qos: 2, messageId: 7 })
  await rig.persistence.putWill(bob, { topic: 'w', payload: Buffer.from('gone'), qos: 1 })
  const before = rig.persistence.stats
  await rig.restart()
  const { persistence } = rig
  t.same(persistence.stats, before)
  t.same(await persistence.subscriptionsByClient(bob), [wanted, { topic: 'b', qos: 0 }])
  t.match(await persistence.subscriptionsByTopic('a/x'), [{ clientId: 'bob', ...wanted }])
  t.same(await persistence.subscriptionsByTopic('b'), [])
  t.same(payloads(await listOf(persistence.createRetainedStream('#'))), ['kept'])
  t.same(payloads(await listOf(persistence.outgoingStream(bob))), ['kept'])
  t.match(await persistence.incomingGetPacket(bob, { messageId: 7 }), { topic: 'a/2', qos: 2 })
  t.match(await persistence.getWill(bob), { topic: 'w', clientId: 'bob', brokerId: EARLIER_RUN })
  t.match(await listOf(persistence.streamWill({ relay: 1 })), [{ topic: 'w' }])
})

t.test('MQTT 5 properties and the expiry that aedes has set survive a restart', async (t) => {
  const rig = await Rig.open(t)
  await rig.persistence.addSubscriptions(bob, [{ topic: 'a', qos: 2, rap: true }])
  const packet = {
    topic: 'a',
    payload: Buffer.from('1'),
    qos: 2,
    retain: true,
    messageExpiry: 1_900_000_000_000,
    properties: {
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      correlationData: Buffer.from('c'),
      userProperties: { b: '1', a: ['2', '3'] },
    },
  }
  await publish(rig.persistence, packet)
  await rig.restart()
  t.match(await listOf(rig.persistence.outgoingStream(bob)), [packet])
  t.match(await listOf(rig.persistence.createRetainedStream('a')), [packet])
})

t.test('a QoS 2 message goes on under its packet id after a restart', async (t) => {
  const rig = await Rig.open(t)
  await rig.persistence.addSubscriptions(bob, [{ topic: 'a', qos: 2 }])
  for (const [at, payload] of ['1', '2'].entries()) {
    const packet = await publish(rig.persistence, { topic: 'a', payload, qos: 2 })
    await rig.persistence.outgoingUpdate(bob, { ...packet, messageId: 40 + at })
  }
  await rig.persistence.outgoingUpdate(bob, { cmd: 'pubrel', messageId: 40 })
  await rig.restart()
  const [release, second] = await listOf(rig.persistence.outgoingStream(bob))
  t.same(release, { cmd: 'pubrel', messageId: 40 })
  t.match(second, { payload: '2', messageId: 41 })
  await rig.persistence.outgoingClearMessageId(bob, { messageId: 40 })
  t.same(payloads(await listOf(rig.persistence.outgoingStream(bob))), ['2'])
})

t.test(
  'a session ends with its subscriptions, its queue and its unfinished publishes',
  async (t) => {
    const rig = await Rig.open(t)
    await rig.persistence.addSubscriptions(bob, [{ topic: 'a', qos: 1 }])
    await publish(rig.persistence, { topic: 'a', payload: '1' })
    await rig.persistence.incomingStorePacket(bob, { topic: 'b', qos: 2, messageId: 7 })
    await rig.persistence.cleanSubscriptions(bob)
    const none = { sessions: 0, subscriptions: 0, queued: 0, incoming: 0 }
    t.match(rig.persistence.stats, none)
    await rig.restart()
    t.match(rig.persistence.stats, none)
  },
)

t.test('a publish is in one commit, which a power cut leaves whole or not at all', async (t) => {
  const rig = await Rig.open(t)
  for (const id of ['bob', 'eve']) {
    await rig.persistence.addSubscriptions({ id }, [{ topic: 'a', qos: 2 }])
  }
  const before = join(t.testdirName, 'before')
  cpSync(rig.path, before, { recursive: true })
  const { commits } = rig.store.stats
  const sender = { id: 'sender' }
  await rig.persistence.incomingStorePacket(sender, { topic: 'a', qos: 2, messageId: 7 })
  await publish(rig.persistence, { topic: 'a', payload: 'p'.repeat(500), qos: 2, retain: true })
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
    const { persistence } = await Rig.open(t, {}, path)
    const { retained, queued, incoming } = persistence.stats
    found.add(`${retained} ${queued} ${incoming}`)
  }
  t.same([...found], ['0 0 0', '1 2 1'])
})

t.test(
  'a full disk takes no message, keeps none as retained, and gives out what it has',
  async (t) => {
    const rig = await Rig.open(t)
    await rig.persistence.addSubscriptions(bob, [{ topic: 'a', qos: 1 }])
    await publish(rig.persistence, { topic: 'a', payload: 'old', retain: true })
    rig.disk.isFull = true
    await rig.restart()
    const { persistence } = rig
    await t.rejects(publish(persistence, { topic: 'a', payload: 'new' }), { code: 'DISK_FULL' })
    const unfinished = persistence.incomingStorePacket(bob, { topic: 'a', qos: 2, messageId: 1 })
    await t.rejects(unfinished, { code: 'DISK_FULL' })
    t.equal(persistence.hasRoomForRetained('a'), false)
    await persistence.storeRetained({ topic: 'a', payload: 'new', qos: 0 })
    t.match(persistence.stats, { retainedRefused: 1, queued: 1, incoming: 0 })
    t.same(payloads(await listOf(persistence.createRetainedStream('a'))), ['old'])
    await publish(persistence, { topic: 'nobody waits', payload: 'p' })
    const [packet = {}] = await listOf(persistence.outgoingStream(bob))
    await persistence.outgoingClearMessageId(bob, packet)
    await persistence.storeRetained({ topic: 'a', payload: '' })
    t.match(persistence.stats, { queued: 0, retained: 0 })
  },
)

t.test('a will that is to go while the relay stops stays for the next start', async (t) => {
  const rig = await Rig.open(t)
  await rig.persistence.putWill(bob, { topic: 'w', payload: 'gone' })
  await rig.persistence.destroy()
  await rig.store.stop()
  t.equal(await rig.persistence.delWill(bob), undefined)
  await rig.restart()
  t.match(await rig.persistence.getWill(bob), { topic: 'w' })
})

t.test('names of object properties are ordinary names', async (t) => {
  const rig = await Rig.open(t)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const client = { id: name }
    await rig.persistence.addSubscriptions(client, [{ topic: name, qos: 1 }])
    await publish(rig.persistence, { topic: name, payload: name, retain: true })
    await rig.persistence.putWill(client, { topic: name, payload: name })
    await rig.persistence.incomingStorePacket(client, { topic: name, messageId: 1 })
  }
  await rig.restart()
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const client = { id: name }
    const { persistence } = rig
    t.same(payloads(await listOf(persistence.outgoingStream(client))), [name])
    t.same(payloads(await listOf(persistence.createRetainedStream(name))), [name])
    t.match(await persistence.delWill(client), { topic: name })
    t.match(await persistence.incomingGetPacket(client, { messageId: 1 }), { topic: name })
    t.equal(await persistence.delWill(client), undefined)
  }
})

t.test('an unfinished publish that is unknown is NOT_FOUND, and may be deleted', async (t) => {
  const { persistence } = await Rig.open(t)
  await t.rejects(persistence.incomingGetPacket(bob, { messageId: 1 }), { code: 'NOT_FOUND' })
  // aedes lets a rejection of this one end the process.
  await t.resolves(persistence.incomingDelPacket(bob, { messageId: 1 }))
})

t.test('a packet id that was released is free after a restart', async (t) => {
  const rig = await Rig.open(t)
  await rig.persistence.incomingStorePacket(bob, { topic: 'a', messageId: 1 })
  await rig.persistence.incomingStorePacket(bob, { topic: 'a', messageId: 2 })
  await rig.persistence.incomingDelPacket(bob, { messageId: 1 })
  await rig.restart()
  await t.rejects(rig.persistence.incomingGetPacket(bob, { messageId: 1 }), { code: 'NOT_FOUND' })
  await rig.persistence.cleanIncoming(bob)
  t.equal(rig.persistence.stats.incoming, 0)
})

t.test('what had to be dropped is counted', async (t) => {
  const { persistence, log } = await Rig.open(t, { retainedMax: 1, offlineQueueMessagesMax: 2 })
  await persistence.addSubscriptions(bob, [{ topic: '+', qos: 1 }])
  for (const topic of ['a', 'b']) await publish(persistence, { topic, payload: '1', retain: true })
  t.match(persistence.stats, { retained: 1, retainedRefused: 1, queued: 2, queuedDropped: 0 })
  t.equal(persistence.hasRoomForRetained('a'), true)
  t.equal(persistence.hasRoomForRetained('b'), false)
  await publish(persistence, { topic: 'c', payload: '1' })
  t.match(persistence.stats, { queued: 2, queuedDropped: 1 })
  t.equal(log.lines.length, 2)
})

t.test('a full session is told, and aedes hears of it', async (t) => {
  const { persistence } = await Rig.open(t, { filtersPerSessionMax: 1, incomingPerSessionMax: 1 })
  const two = ['a', 'b'].map((topic) => ({ topic, qos: 1 }))
  await t.rejects(persistence.addSubscriptions(bob, two), { code: 'FILTERS_FULL' })
  await persistence.incomingStorePacket(bob, { topic: 'a', messageId: 1 })
  const second = persistence.incomingStorePacket(bob, { topic: 'a', messageId: 2 })
  await t.rejects(second, { code: 'SENDER_FULL' })
})

t.test('keys of other tables are passed over at the start', async (t) => {
  const { persistence } = await Rig.open(t)
  persistence.visit('entry/origin/1', Uint8Array.of(1))
  t.same(Object.values(persistence.stats), [0, 0, 0, 0, 0, 0, 0, 0])
})
