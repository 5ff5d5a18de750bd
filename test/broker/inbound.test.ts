import t from 'tap'
import { Acknowledgements } from '../../src/broker/acknowledgements.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { Inbound } from '../../src/broker/inbound.ts'
import { PacketIds } from '../../src/broker/packet-ids.ts'
import type { Publish } from '../../src/broker/publish.ts'
import type { AcceptWaiter } from '../../src/delivery/acceptance.ts'
import type { Draft, PostOffice } from '../../src/delivery/post-office.ts'
import { RelayError } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { userId } from '../../src/message/names.ts'
import { KeptLog } from '../support/kept-log.ts'

/** Everything around it, played by the test. */
class Scene {
  readonly drafts: Draft[] = []
  readonly waiters: AcceptWaiter[] = []
  readonly refused: string[] = []
  readonly reads: string[] = []
  readonly recorded: (() => void)[] = []
  readonly signals: string[] = []
  readonly privacies: string[] = []
  readonly sent: Buffer[] = []
  passed = 0
  isFull = false
  canRetain = true
  isKnown = true
  readonly inbound: Inbound
  readonly connection: Connection

  constructor(version: 4 | 5 = 5) {
    const post = {
      accept: (draft: Draft, waiter: AcceptWaiter) => {
        this.drafts.push(draft)
        this.waiters.push(waiter)
      },
      refuse: (draft: Draft, error: RelayError, waiter: AcceptWaiter) => {
        this.refused.push(`${draft.id} ${error.code}`)
        waiter.refused(error)
      },
      read: (from: string, to: string, id: string, recorded: () => void) => {
        if (!this.isKnown) throw new RelayError('NOT_FOUND', 'there is none')
        this.reads.push(`${from} ${to} ${id}`)
        this.recorded.push(recorded)
      },
    } as unknown as PostOffice
    this.inbound = new Inbound(
      {
        post,
        roster: {
          setPresencePrivacy: (user, privacy) => this.privacies.push(`${user} ${privacy}`),
        },
        store: this,
        canRetain: () => this.canRetain,
        signal: (topic) => this.signals.push(topic),
        log: new KeptLog(),
      },
      { rules: [{ who: '*', topics: 'open/#', actions: ['publish'], effect: 'allow' }] },
    )
    this.connection = {
      identity: { kind: 'user', user: userId('alice'), isAdmin: false },
      version,
      acknowledgements: new Acknowledgements((packet) => this.sent.push(packet)),
      unreleased: new PacketIds(),
      address: '127.0.0.1',
      connect: { version, clientId: 'phone', receiveMaximum: 1 },
    } as unknown as Connection
  }

  publish(topic: string, more: Partial<Publish> = {}): void {
    const qos = more.qos ?? 1
    const publish: Publish = {
      topic,
      qos,
      isRetained: false,
      packetId: qos === 0 ? 0 : 7,
      payload: Buffer.from('x'),
      properties: {},
      propertiesBytes: 0,
      ...more,
    }
    if (this.inbound.publish(this.connection, publish)) this.passed += 1
  }
}

const INBOX = 'users/bob/inbox/alice/m1'

t.test('a message goes to the post office, and its PUBACK waits for that', async (t) => {
  const scene = new Scene()
  const properties = { messageExpiryInterval: 60, topicAlias: 3, contentType: 'text/plain' }
  scene.publish(INBOX, { properties })
  t.match(scene.drafts, [
    {
      id: 'm1',
      from: 'alice',
      to: 'bob',
      qos: 1,
      expiresAfterS: 60,
      properties: { contentType: 'text/plain' },
    },
  ])
  t.notOk('topicAlias' in (scene.drafts[0]?.properties ?? {}), 'an alias means nothing elsewhere')
  t.same(scene.sent, [])
  scene.waiters[0]?.accepted()
  t.same(scene.sent, [Buffer.from([0x40, 2, 0, 7])])
  t.equal(scene.passed, 0)
})

t.test('what is refused is told by its reason code, to 3.1.1 as accepted', async (t) => {
  for (const [version, code, answer] of [
    [5, 'MAILBOX_FULL', [0x40, 3, 0, 7, 0x97]],
    [5, 'NOT_FOUND', [0x40, 3, 0, 7, 0x87]],
    [5, 'PAYLOAD_TOO_LARGE', [0x40, 3, 0, 7, 0x87]],
    [4, 'MAILBOX_FULL', [0x40, 2, 0, 7]],
  ] as const) {
    const scene = new Scene(version)
    scene.publish(INBOX)
    scene.waiters[0]?.refused(new RelayError(code, 'no'))
    t.same(scene.sent, [Buffer.from(answer)], `${code} to ${version}`)
  }
})

t.test('QoS 2 is answered by PUBREC, and released only where that says success', async (t) => {
  const scene = new Scene()
  scene.publish(INBOX, { qos: 2 })
  scene.waiters[0]?.accepted()
  t.same(scene.sent, [Buffer.from([0x50, 2, 0, 7])])
  t.ok(scene.connection.unreleased.delete(7))
  scene.publish(INBOX, { qos: 2 })
  scene.waiters[1]?.refused(new RelayError('DISK_FULL', 'no'))
  t.notOk(scene.connection.unreleased.delete(7), 'MQTT 5 ends it with the failure')
  const older = new Scene(4)
  older.publish(INBOX, { qos: 2 })
  older.waiters[0]?.refused(new RelayError('DISK_FULL', 'no'))
  t.ok(older.connection.unreleased.delete(7), '3.1.1 goes on')
})

t.test('properties are bounded like payloads', async (t) => {
  const scene = new Scene()
  scene.publish(INBOX, { propertiesBytes: LIMITS.propertiesBytesMax })
  t.equal(scene.drafts.length, 1)
  const beyond = new Scene()
  beyond.publish(INBOX, { propertiesBytes: LIMITS.propertiesBytesMax + 1 })
  t.same(beyond.drafts, [])
  t.same(beyond.refused, ['m1 PAYLOAD_TOO_LARGE'])
  t.same(beyond.sent, [Buffer.from([0x40, 3, 0, 7, 0x87])])
})

t.test('QoS 0 has no answer', async (t) => {
  const scene = new Scene()
  scene.publish(INBOX, { qos: 0 })
  scene.waiters[0]?.accepted()
  scene.publish('forbidden', { qos: 0 })
  t.same(scene.sent, [])
})

t.test(
  'a forbidden message of an own name is refused by receipt too, of another not',
  async (t) => {
    const scene = new Scene()
    scene.publish('users/bob/inbox/carol/m1')
    t.same(scene.refused, [])
    t.same(scene.sent, [Buffer.from([0x40, 3, 0, 7, 0x87])])
  },
)

t.test('read is passed on, anything else of a receipt is not', async (t) => {
  const scene = new Scene()
  const topic = 'users/bob/receipts/alice/m1'
  scene.publish(topic, { payload: Buffer.from('{"status":"read"}') })
  scene.publish(topic, { payload: Buffer.alloc(0) })
  t.same(scene.reads, ['bob alice m1', 'bob alice m1'])
  t.same(scene.sent, [], 'not acknowledged before it is on disk')
  for (const recorded of scene.recorded) recorded()
  t.same(scene.sent.splice(0), Array(2).fill(Buffer.from([0x40, 2, 0, 7])))
  for (const payload of [
    '{"status":"delivered"}',
    'read',
    'null',
    '{"__proto__":{"status":"read"}}',
  ]) {
    scene.publish(topic, { payload: Buffer.from(payload) })
  }
  scene.isKnown = false
  scene.publish(topic, { payload: Buffer.alloc(0) })
  t.equal(scene.reads.length, 2)
  t.same(scene.sent, Array(5).fill(Buffer.from([0x40, 3, 0, 7, 0x87])))
})

t.test('signals are passed on at once', async (t) => {
  const scene = new Scene()
  scene.publish('users/bob/signals/alice/typing', { qos: 0 })
  t.same(scene.signals, ['users/bob/signals/alice/typing'])
})

t.test('a profile says who may see the presence, and is then an ordinary topic', async (t) => {
  const scene = new Scene()
  for (const payload of [
    '{"privacy":{"presence":"nobody"}}',
    '{"privacy":{"presence":"anything"}}',
    '{"privacy":null}',
    'no json',
  ]) {
    scene.publish('users/alice/profile', { payload: Buffer.from(payload), isRetained: true })
  }
  t.same(scene.privacies, ['alice nobody'])
  t.equal(scene.passed, 4)
})

t.test('ordinary topics are for aedes, where there is room', async (t) => {
  const scene = new Scene()
  scene.publish('open/topic')
  scene.publish('open/topic', { isRetained: true })
  t.equal(scene.passed, 2)
  scene.canRetain = false
  scene.publish('open/topic', { isRetained: true })
  t.same(scene.sent.splice(0), [Buffer.from([0x40, 3, 0, 7, 0x97])])
  scene.publish('open/topic', { isRetained: true, payload: Buffer.alloc(0) })
  t.equal(scene.passed, 3, 'what makes room is taken')
  scene.isFull = true
  scene.publish('open/topic')
  t.same(scene.sent, [Buffer.from([0x40, 3, 0, 7, 0x97])])
  scene.publish('open/topic', { qos: 0 })
  t.equal(scene.passed, 4, 'QoS 0 needs no disk')
})

t.test('a will goes by the same rules', async (t) => {
  const { inbound, drafts } = new Scene()
  const alice = { kind: 'user', user: userId('alice'), isAdmin: false } as const
  const will = { qos: 1, payload: Buffer.from('x'), isRetained: false } as const
  t.equal(inbound.will(alice, { ...will, topic: INBOX }), false)
  t.equal(drafts.length, 1)
  t.equal(inbound.will(alice, { ...will, topic: 'open/topic' }), true)
  for (const topic of ['users/bob/inbox/carol/m1', 'forbidden', 'a/+']) {
    t.throws(() => inbound.will(alice, { ...will, topic }), RelayError)
  }
})
