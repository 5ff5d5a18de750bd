import t from 'tap'
import { Acknowledgements } from '../../src/broker/acknowledgements.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { Inbound } from '../../src/broker/inbound.ts'
import type { OrdinaryMessage } from '../../src/broker/ordinary/message.ts'
import type { OrdinaryTopics } from '../../src/broker/ordinary/topics.ts'
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
  readonly passed: OrdinaryMessage[] = []
  readonly began: number[] = []
  readonly done: (() => void)[] = []
  readonly privacies: string[] = []
  readonly sent: Buffer[] = []
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
        topics: this.topics(),
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
      explain: (packet: Buffer) => packet,
      connect: { version, clientId: 'phone', receiveMaximum: 1 },
      ordinary: {},
    } as unknown as Connection
  }

  topics(): OrdinaryTopics {
    return {
      retained: { hasRoom: () => this.canRetain },
      ageMs: () => 1_000,
      began: (_session: unknown, packetId: number) => this.began.push(packetId),
      publish: (message: OrdinaryMessage, _from: unknown, done: () => void) => {
        this.passed.push(message)
        this.done.push(done)
      },
    } as unknown as OrdinaryTopics
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
    this.inbound.publish(this.connection, publish)
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
  t.same(scene.passed, [])
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

t.test('a signal is passed on with its properties, for now alone', async (t) => {
  const scene = new Scene()
  const topic = 'users/bob/signals/alice/typing'
  const properties = { contentType: 'text/plain', messageExpiryInterval: 5 }
  scene.publish(topic, { qos: 2, isRetained: true, properties })
  t.match(scene.passed, [
    {
      topic,
      qos: 0,
      isRetained: false,
      properties: { contentType: 'text/plain' },
      deadlineMs: 6_000,
    },
  ])
  t.same(scene.began, [7], 'once, also over a reconnect [MQTT-4.3.3-10]')
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
  t.equal(scene.passed.length, 4)
})

t.test('ordinary topics are passed on, where there is room', async (t) => {
  const scene = new Scene()
  scene.publish('open/topic')
  scene.publish('open/topic', { isRetained: true })
  t.match(scene.passed, [{ isRetained: false, deadlineMs: Infinity }, { isRetained: true }])
  t.same(scene.sent, [], 'not acknowledged before it is safe')
  for (const done of scene.done) done()
  t.same(scene.sent.splice(0), Array(2).fill(Buffer.from([0x40, 2, 0, 7])))
  scene.canRetain = false
  scene.publish('open/topic', { isRetained: true })
  t.same(scene.sent.splice(0), [Buffer.from([0x40, 3, 0, 7, 0x97])])
  scene.publish('open/topic', { isRetained: true, payload: Buffer.alloc(0) })
  t.equal(scene.passed.length, 3, 'what makes room is taken')
  scene.done[2]?.()
  scene.sent.length = 0
  scene.isFull = true
  scene.publish('open/topic')
  t.same(scene.sent, [Buffer.from([0x40, 3, 0, 7, 0x97])])
  scene.publish('open/topic', { qos: 0 })
  t.equal(scene.passed.length, 4, 'QoS 0 needs no disk')
})

t.test(
  'a QoS 2 publish that comes again is passed on once, and answered [MQTT-4.3.3-2]',
  async (t) => {
    const scene = new Scene()
    scene.publish('open/topic', { qos: 2 })
    scene.publish('open/topic', { qos: 2 })
    t.equal(scene.passed.length, 1)
    t.same(scene.began, [7])
    t.same(scene.sent, [], 'in the order of the publishes')
    scene.done[0]?.()
    t.same(scene.sent, Array(2).fill(Buffer.from([0x50, 2, 0, 7])))
  },
)

t.test('what expires at once still goes to those who are here', async (t) => {
  const scene = new Scene()
  scene.publish('open/topic', { properties: { messageExpiryInterval: 0 } })
  t.match(scene.passed, [{ deadlineMs: 1_001 }])
})

t.test('a will goes by the same rules, with its properties', async (t) => {
  const { inbound, drafts, passed } = new Scene()
  const alice = { kind: 'user', user: userId('alice'), isAdmin: false } as const
  const properties = { contentType: 'text/plain' }
  const will = {
    qos: 1,
    payload: Buffer.from('x'),
    isRetained: true,
    properties,
    delayS: 0,
  } as const
  inbound.will(alice, { ...will, topic: INBOX })
  t.match(drafts, [{ properties }])
  inbound.will(alice, { ...will, topic: 'open/topic' })
  t.match(passed, [{ topic: 'open/topic', isRetained: true, properties }])
  for (const topic of ['users/bob/inbox/carol/m1', 'forbidden', 'a/+']) {
    t.throws(() => inbound.will(alice, { ...will, topic }), RelayError)
  }
})
