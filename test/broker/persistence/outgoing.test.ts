import t from 'tap'
import { LossNotice } from '../../../src/broker/persistence/loss-notice.ts'
import { Outgoing, type Recipient } from '../../../src/broker/persistence/outgoing.ts'
import type { Packet } from '../../../src/broker/persistence/packet.ts'
import { PacketNumbers, QUEUE } from '../../../src/broker/persistence/packet-numbers.ts'
import { freshStore, KeptLog, listOf, ManualClock, payloads } from './rig.ts'

type Test = Parameters<typeof freshStore>[0]

async function fresh(t: Test, offlineQueueMessagesMax = 10) {
  const store = await freshStore(t)
  const log = new KeptLog()
  const numbers = new PacketNumbers()
  const dropped = new LossNotice({ clock: new ManualClock(), log }, { text: 'dropped' })
  const parts = { store, numbers, dropped }
  const outgoing = new Outgoing(parts, { offlineQueueMessagesMax, readAheadMax: 3 })
  const enqueue = (recipients: readonly Recipient[], packet: Packet): Packet => {
    const sent = { ...packet, brokerId: 'relay', brokerCounter: 1 }
    outgoing.enqueue(recipients, sent, numbers.queue(sent, { id: 'relay', counter: 1 }))
    return sent
  }
  return { outgoing, enqueue, dropped, log }
}

const message = (payload: string, qos = 1): Packet => ({ topic: 't', payload, qos })
const bob = { clientId: 'bob', qos: 2 }

t.test('a queue brings its messages in order, over several pages, to its own client', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const all = ['1', '2', '3', '4', '5', '6', '7']
  for (const payload of all) enqueue([bob, { clientId: 'bobby', qos: 2 }], message(payload))
  enqueue([{ clientId: 'bobby', qos: 2 }], message('for bobby'))
  t.same(payloads(await listOf(outgoing.stream('bob'))), all)
  t.same(payloads(await listOf(outgoing.stream('bobby'))), [...all, 'for bobby'])
  t.same(await listOf(outgoing.stream('bo')), [])
  t.equal(outgoing.size, 15)
})

t.test('what comes after a stream was opened is not in it, what left is not either', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const packets = ['1', '2', '3', '4', '5'].map((payload) => enqueue([bob], message(payload)))
  const stream = outgoing.stream('bob')
  t.equal((await stream.next()).value?.payload, '1')
  outgoing.settle('bob', packets[1] ?? {})
  outgoing.settle('bob', packets[4] ?? {})
  enqueue([bob], message('6'))
  t.same(payloads(await listOf(stream)), ['3', '4'])
})

t.test('a message is granted the highest QoS of the subscriptions that match', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const two = [
    { clientId: 'bob', qos: 0 },
    { clientId: 'bob', qos: 1 },
  ]
  enqueue([...two, { clientId: 'eve', qos: 2 }, { clientId: 'relayed' }], message('1', 2))
  for (const [client, qos] of [
    ['bob', 1],
    ['eve', 2],
    ['relayed', 2],
  ] as const) {
    const packets = await listOf(outgoing.stream(client))
    t.equal(packets.length, 1)
    t.equal(packets[0]?.qos, qos)
  }
})

t.test('RETAIN is kept for those who asked for it, DUP for nobody', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const recipients = [bob, { clientId: 'eve', qos: 1, rap: true }, { clientId: 'relayed' }]
  enqueue(recipients, { ...message('1'), retain: true, dup: true })
  for (const [client, retain] of [
    ['bob', false],
    ['eve', true],
    ['relayed', true],
  ] as const) {
    t.match(await listOf(outgoing.stream(client)), [{ retain, dup: false }])
  }
})

t.test('an acknowledgement removes what was sent under its packet id', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const [one = {}, two = {}] = ['1', '2'].map((payload) => enqueue([bob], message(payload)))
  t.equal(outgoing.sending('bob', { ...one, messageId: 8 }), false)
  outgoing.sending('bob', { ...two, messageId: 9 })
  t.same(
    [7, 8, 9].map((packetId) => outgoing.isTaken('bob', packetId)),
    [false, true, true],
  )
  t.match(outgoing.settle('bob', { messageId: 9 }), { payload: '2', messageId: 9 })
  t.equal(outgoing.settle('bob', { messageId: 9 }), undefined)
  t.notOk(outgoing.isTaken('bob', 9))
  t.equal(outgoing.settle('eve', { messageId: 8 }), undefined)
  t.match(await listOf(outgoing.stream('bob')), [
    { payload: '1', messageId: 8, brokerId: QUEUE, brokerCounter: 1 },
  ])
})

t.test('a message that no subscription brings leaves with the last of them', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const packet = enqueue([bob, { clientId: 'bob', qos: 1 }], message('1'))
  t.equal(outgoing.settle('bob', packet), undefined)
  t.equal(outgoing.size, 1)
  t.match(outgoing.settle('bob', packet), { payload: '1' })
  t.equal(outgoing.size, 0)
})

t.test(
  'a message that one of two subscriptions brings stays until it is acknowledged',
  async (t) => {
    const { outgoing, enqueue } = await fresh(t)
    const packet = enqueue([bob, { clientId: 'bob', qos: 1 }], message('1'))
    outgoing.settle('bob', packet)
    outgoing.sending('bob', { ...packet, messageId: 3 })
    t.match(outgoing.settle('bob', { messageId: 3 }), { payload: '1' })
  },
)

t.test('a packet that is in no queue needs nothing before it is sent', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const packet = { ...enqueue([bob], message('1', 2)), messageId: 3 }
  t.equal(outgoing.sending('eve', packet), false)
  t.equal(outgoing.sending('bob', { ...packet, brokerCounter: 99 }), false)
  t.equal(outgoing.sending('bob', { ...packet, brokerId: 'other' }), false)
  t.equal(outgoing.sending('bob', { cmd: 'pubrel', messageId: 77 }), false)
  t.equal(outgoing.sending('bob', { ...packet, messageId: undefined }), false)
  t.equal(outgoing.settle('bob', {}), undefined)
})

t.test('a QoS 2 message keeps its packet id and its release', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  const packet = { ...enqueue([bob], message('1', 2)), cmd: 'publish', messageId: 3 }
  t.equal(outgoing.sending('bob', packet), true)
  t.equal(outgoing.sending('bob', packet), true)
  t.match(await listOf(outgoing.stream('bob')), [{ payload: '1', qos: 2, messageId: 3 }])
  t.equal(outgoing.sending('bob', { cmd: 'pubrel', messageId: 3 }), true)
  t.same(await listOf(outgoing.stream('bob')), [{ cmd: 'pubrel', messageId: 3 }])
  t.match(outgoing.settle('bob', { messageId: 3 }), { cmd: 'pubrel' })
  t.equal(outgoing.size, 0)
})

t.test('at the bound all are kept; one past it the oldest leaves, counted and told', async (t) => {
  const { outgoing, enqueue, dropped, log } = await fresh(t, 3)
  for (const payload of ['1', '2', '3']) enqueue([bob], message(payload))
  t.equal(dropped.total, 0)
  enqueue([bob, { clientId: 'eve', qos: 1 }], message('4'))
  t.equal(dropped.total, 1)
  t.equal(log.lines.length, 1)
  t.same(payloads(await listOf(outgoing.stream('bob'))), ['2', '3', '4'])
  t.same(payloads(await listOf(outgoing.stream('eve'))), ['4'])
})

t.test('a session ends with its queue', async (t) => {
  const { outgoing, enqueue } = await fresh(t)
  for (const payload of ['1', '2']) {
    enqueue([{ clientId: '__proto__', qos: 1 }, bob], message(payload))
  }
  outgoing.clear('__proto__')
  outgoing.clear('nobody')
  t.same(await listOf(outgoing.stream('__proto__')), [])
  t.equal(outgoing.size, 2)
})
