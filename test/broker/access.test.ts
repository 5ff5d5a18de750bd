import fc from 'fast-check'
import t from 'tap'
import {
  mayPublish,
  mayRead,
  maySubscribe,
  type PresenceOf,
  type Rules,
} from '../../src/broker/access.ts'
import { type ErrorCode, RelayError } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { thingId, userId } from '../../src/message/names.ts'
import { filterMatches } from '../../src/message/topic.ts'
import type { Identity } from '../../src/roster/identity.ts'

const user = (id: string, isAdmin = false) => ({ kind: 'user', user: userId(id), isAdmin }) as const
const bob = user('bob')
const alice = user('alice')
const admin = user('root', true)
const lamp = { kind: 'thing', thing: thingId('lamp') } as const
const anonymous = { kind: 'anonymous' } as const
const everybody: Identity[] = [bob, alice, admin, lamp, anonymous]

const NO_RULES: Rules = []
const ALL_OPEN: Rules = [
  { who: '*', topics: '#', actions: ['publish', 'subscribe'], effect: 'allow' },
]
const everyoneSees: PresenceOf = () => true
/** What becomes of an attempt: its error code, or `ok`. */
function outcome(attempt: () => unknown): ErrorCode | 'ok' {
  try {
    attempt()
    return 'ok'
  } catch (error) {
    if (error instanceof RelayError) return error.code
    throw error
  }
}

const publish = (who: Identity, topic: string, rules = NO_RULES) =>
  outcome(() => mayPublish(who, topic, rules))
const subscribe = (who: Identity, filter: string, rules = NO_RULES) =>
  outcome(() => maySubscribe(who, filter, rules))
const read = (who: Identity, topic: string, rules = NO_RULES, sees = everyoneSees) =>
  mayRead(who, topic, rules, sees)

/** The contract's table: a topic, who publishes it, who reads it. */
const TABLE: [topic: string, publishers: Identity[], readers: Identity[]][] = [
  ['users/bob/inbox/alice/m1', [alice], [bob]],
  ['users/bob/groups/team/alice/m1', [], [bob]],
  ['groups/team/inbox/alice/m1', [], []],
  ['users/alice/receipts/bob/m1', [bob], [alice]],
  ['users/bob/presence', [], [bob, alice, admin]],
  ['users/bob/profile', [bob], [bob, alice, admin]],
  ['users/bob/avatar', [bob], []],
  ['users/bob/signals/alice/typing', [alice], [bob]],
  ['things/lamp/status', [], [bob, alice, admin]],
  ['things/lamp/tele/STATE', [lamp], [bob, alice, admin]],
  ['things/other/tele/STATE', [], [bob, alice, admin]],
  ['relays/abcd1234/status', [], [bob, alice, admin]],
  ['relays/abcd1234/links', [], []],
  ['$SYS/uptime', [], [admin]],
  ['$share/g/users/bob/inbox', [], []],
  ['$mesh/x', [], []],
  ['house/temperature', [], []],
]

t.test('everybody may publish and read exactly what the contract says', async (t) => {
  for (const rules of [NO_RULES, ALL_OPEN]) {
    for (const [topic, publishers, readers] of TABLE) {
      const isOpen = rules === ALL_OPEN && topic === 'house/temperature'
      for (const who of everybody) {
        const says = `${JSON.stringify(who)} ${topic} ${rules.length} rules`
        const isPublished = publish(who, topic, rules) === 'ok'
        t.equal(isPublished, isOpen || publishers.includes(who), `publish: ${says}`)
        t.equal(read(who, topic, rules), isOpen || readers.includes(who), `read: ${says}`)
      }
    }
  }
})

t.test('what is published comes back parsed', async (t) => {
  t.match(mayPublish(alice, 'users/bob/inbox/alice/m1', []), { kind: 'inbox', to: 'bob', id: 'm1' })
  t.match(mayPublish(lamp, 'things/lamp/a/b', []), { kind: 'thing', path: 'a/b' })
  t.match(mayPublish(lamp, 'house/x', ALL_OPEN), { kind: 'other' })
})

t.test('publishing as somebody else, or to where somebody else is, is refused', async (t) => {
  const topics = [
    'users/bob/inbox/bob/m1',
    'users/alice/inbox/bob/m1',
    'users/bob/receipts/alice2/m1',
    'users/alice/receipts/bob/m1',
    'users/alice/presence',
    'users/bob/presence',
    'users/bob/profile',
    'users/alicea/profile',
    'users/alic/avatar',
    'users/bob/signals/bob/typing',
    'things/lamp/x',
    'things/alice/x',
    'relays/abcd1234/status',
    '$SYS/uptime',
    '$SYS/abcd/new/clients',
    'groups/team/inbox/alice/m1',
    'groups/team/inbox/bob/m1',
  ]
  for (const topic of topics) {
    t.equal(publish(alice, topic), 'NOT_AUTHORIZED', topic)
    t.equal(publish(alice, topic, ALL_OPEN), 'NOT_AUTHORIZED', `${topic}, all open`)
  }
})

t.test('an admin publishes no more than any user', async (t) => {
  for (const topic of ['$SYS/uptime', 'users/bob/profile', 'things/lamp/x', 'users/bob/presence']) {
    t.equal(publish(admin, topic), 'NOT_AUTHORIZED')
  }
})

t.test('a thing has its own topics, but not its status, and nobody elses', async (t) => {
  t.equal(publish(lamp, 'things/lamp/status'), 'NOT_AUTHORIZED')
  t.equal(publish(lamp, 'things/lamp/status/x'), 'ok')
  t.equal(publish(lamp, 'things/lamps/x'), 'NOT_AUTHORIZED')
  t.equal(publish(lamp, 'things/lam/x'), 'NOT_AUTHORIZED')
  t.equal(publish(lamp, 'users/lamp/profile'), 'NOT_AUTHORIZED')
  t.equal(publish(lamp, 'users/bob/inbox/lamp/m1'), 'NOT_AUTHORIZED')
  t.equal(publish(user('lamp'), 'things/lamp/x'), 'NOT_AUTHORIZED', 'nor has a user of that name')
})

t.test('malformed topics are bad topics, whatever the rules say', async (t) => {
  const topics = [
    '',
    '#',
    'a/+',
    'a\0b',
    'users',
    'users/bob',
    'users/Bob/inbox/alice/m1',
    'users/bob/inbox/alice/a b',
    'users/__proto__/profile',
    '/'.repeat(65_535),
    'a/'.repeat(100),
  ]
  for (const topic of topics) t.equal(publish(alice, topic, ALL_OPEN), 'BAD_TOPIC')
})

t.test('a user subscribes to the own name space and to what every user reads', async (t) => {
  const filters = [
    'users/alice/#',
    'users/alice/inbox/#',
    'users/alice/inbox/+/+',
    'users/alice/+/bob/#',
    'users/alice/receipts/#',
    'users/alice/groups/#',
    'users/alice/signals/+/typing',
    'users/+/presence',
    'users/bob/presence',
    'users/+/profile',
    'things/#',
    'things',
    'things/+/status',
    'relays/+/status',
    'relays/abcd1234/status',
    '$share/g/things/#',
    '$share/g/users/alice/signals/#',
  ]
  for (const filter of filters) t.equal(subscribe(alice, filter), 'ok', filter)
})

t.test("somebody else's topics are out of reach by any filter", async (t) => {
  const filters = [
    'users/bob/inbox/alice/m1',
    'users/bob/inbox/#',
    'users/bob/#',
    'users/bob/inbox/+/+',
    'users/bob/receipts/alice/m1',
    'users/bob/groups/#',
    'users/bob/signals/alice/typing',
    'users/bob/avatar',
    'users/+/inbox/#',
    'users/+/inbox/alice/+',
    'users/+/#',
    'users/+/+',
    'users/+/avatar',
    'users/#',
    'users/alicea/#',
    'users/alic/#',
    '+/bob/inbox/#',
    '+/+/inbox/+/+',
    '+/+/presence',
    '+/#',
    '#',
    '+',
    'groups/#',
    'groups/team/inbox/#',
    'relays/#',
    '$SYS/#',
    '$SYS/uptime',
    '$mesh/#',
    '$share',
    // Percent-encoded, other case, look-alikes and decomposed letters are other topics.
    'users/%62ob/inbox/#',
    'users%2fbob/inbox/#',
    'users/BOB/inbox/#',
    'Users/bob/inbox/#',
    'USERS/bob/inbox/#',
    'users/bоb/inbox/#',
    'users/bo\u0301b/inbox/#',
    'users/b\u200bob/inbox/#',
    'users//bob/inbox/#',
    '/users/bob/inbox/#',
    'users/__proto__/inbox/#',
    'users/constructor/inbox/#',
  ]
  for (const filter of filters) {
    t.equal(subscribe(alice, filter), 'NOT_AUTHORIZED', filter)
    t.not(subscribe(alice, `$share/g/${filter}`), 'ok', `$share/g/${filter}`)
  }
})

t.test('dots in a topic lead nowhere', async (t) => {
  t.equal(subscribe(alice, 'users/alice/../bob/inbox/#'), 'ok')
  t.equal(publish(alice, 'users/alice/../bob/inbox'), 'BAD_TOPIC')
  t.notOk(read(alice, 'users/bob/../alice/inbox'))
})

t.test('no rule opens a reserved name space', async (t) => {
  const filters = ['users/bob/#', 'users/#', 'users/+/inbox/#', '$SYS/#', 'groups/#', 'relays/#']
  const rules: Rules = [...filters, '#'].map((topics) => ({
    who: '*',
    topics,
    actions: ['publish', 'subscribe'],
    effect: 'allow',
  }))
  for (const filter of filters) {
    t.equal(subscribe(alice, filter, rules), 'NOT_AUTHORIZED', filter)
    t.equal(subscribe(alice, `$share/g/${filter}`, rules), 'NOT_AUTHORIZED')
  }
  for (const topic of ['users/bob/inbox/bob/m1', '$SYS/x', 'groups/team/inbox/bob/m1']) {
    t.equal(publish(alice, topic, rules), 'NOT_AUTHORIZED')
    t.notOk(read(alice, topic, rules))
  }
  t.equal(subscribe(lamp, 'things/#', rules), 'NOT_AUTHORIZED')
  t.equal(subscribe(anonymous, 'users/+/presence', rules), 'NOT_AUTHORIZED')
})

t.test('a wide filter that a rule allows brings only what is readable', async (t) => {
  for (const filter of ['#', '+/bob/inbox/#', '+/+/inbox/+/+']) {
    t.equal(subscribe(alice, filter, ALL_OPEN), 'ok', filter)
  }
  t.notOk(read(alice, 'users/bob/inbox/carol/m1', ALL_OPEN))
  t.notOk(read(alice, 'users/bob/receipts/carol/m1', ALL_OPEN))
  t.notOk(read(anonymous, 'users/bob/profile', ALL_OPEN))
  t.notOk(read(alice, '$SYS/uptime', ALL_OPEN))
  t.ok(read(alice, 'users/alice/inbox/bob/m1', ALL_OPEN))
  t.ok(read(anonymous, 'house/temperature', ALL_OPEN))
})

t.test('bob is not bobby', async (t) => {
  const bobby = user('bobby')
  for (const [me, other] of [
    [bob, 'bobby'],
    [bobby, 'bob'],
  ] as const) {
    t.equal(subscribe(me, `users/${other}/inbox/#`), 'NOT_AUTHORIZED')
    t.equal(publish(me, `users/${other}/profile`), 'NOT_AUTHORIZED')
    t.notOk(read(me, `users/${other}/inbox/alice/m1`))
    t.notOk(read(me, `users/${other}`))
  }
  t.notOk(read(bob, 'users/bob'))
  t.notOk(read(bob, 'users/'))
  t.notOk(read(bob, 'users'))
})

t.test('a user named like a property of objects is a user like others', async (t) => {
  const odd = user('constructor')
  t.equal(subscribe(odd, 'users/constructor/inbox/#'), 'ok')
  t.equal(subscribe(odd, 'users/bob/inbox/#'), 'NOT_AUTHORIZED')
  t.equal(publish(odd, 'users/bob/inbox/constructor/__proto__'), 'ok')
  for (const topic of ['__proto__', 'constructor/x', 'toString']) {
    t.equal(publish(odd, topic), 'NOT_AUTHORIZED')
    t.notOk(read(odd, topic))
  }
})

t.test('a mailbox is not shared, not even by its own user', async (t) => {
  const filters = [
    'users/alice/inbox/#',
    'users/alice/inbox/bob/+',
    'users/alice/receipts/#',
    'users/alice/groups/#',
    'users/alice/#',
    'users/alice/+/bob/m1',
  ]
  for (const filter of filters) {
    t.equal(subscribe(alice, `$share/g/${filter}`), 'NOT_AUTHORIZED', filter)
  }
  t.equal(subscribe(alice, '$share/g/#', ALL_OPEN), 'NOT_AUTHORIZED')
  t.equal(subscribe(alice, '$share/g/house/#', ALL_OPEN), 'ok')
  t.same(maySubscribe(alice, '$share/g/house/#', ALL_OPEN), { filter: 'house/#', group: 'g' })
  t.same(maySubscribe(alice, 'things/#', []), { filter: 'things/#' })
})

t.test('malformed filters are bad topics, whatever the rules say', async (t) => {
  const filters = [
    '',
    'a#',
    'a/#/b',
    'a+',
    'a\0',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//x',
    '$share/+/x',
    '$share/#/x',
    '$share/g+/x',
    '$share/g/a#',
    '/'.repeat(65_535),
    `$share/g/${'a/'.repeat(LIMITS.topicLevelsMax)}`,
  ]
  for (const filter of filters) t.equal(subscribe(admin, filter, ALL_OPEN), 'BAD_TOPIC', filter)
})

t.test('the first rule that matches decides', async (t) => {
  const both = ['publish', 'subscribe'] as ('publish' | 'subscribe')[]
  const rules: Rules = [
    { who: 'alice', topics: 'house/safe/#', actions: both, effect: 'allow' },
    { who: '*', topics: 'house/safe/#', actions: both, effect: 'deny' },
    { who: 'thing:lamp', topics: 'house/+/light', actions: ['publish'], effect: 'allow' },
    { who: 'anonymous', topics: 'public/#', actions: ['subscribe'], effect: 'allow' },
    { who: '*', topics: 'house/#', actions: ['subscribe'], effect: 'allow' },
  ]
  t.equal(publish(alice, 'house/safe/code', rules), 'ok')
  t.equal(publish(bob, 'house/safe/code', rules), 'NOT_AUTHORIZED')
  t.ok(read(alice, 'house/safe/code', rules))
  t.notOk(read(bob, 'house/safe/code', rules))
  t.equal(subscribe(bob, 'house/safe/#', rules), 'NOT_AUTHORIZED')
  t.equal(subscribe(bob, 'house/safe/code', rules), 'NOT_AUTHORIZED')
  t.equal(subscribe(bob, 'house/#', rules), 'ok', 'the denied part is hidden, not refused')
  t.ok(read(bob, 'house/door', rules))
  t.equal(publish(lamp, 'house/hall/light', rules), 'ok')
  t.equal(publish(user('lamp'), 'house/hall/light', rules), 'NOT_AUTHORIZED')
  t.equal(publish(bob, 'house/door', rules), 'NOT_AUTHORIZED')
  t.equal(subscribe(anonymous, 'public/#', rules), 'ok')
  t.equal(subscribe(bob, 'public/#', rules), 'NOT_AUTHORIZED')
  t.equal(subscribe(bob, '+/door', rules), 'NOT_AUTHORIZED', 'a rule must cover the whole filter')
})

t.test('presence is read by whom its user allows', async (t) => {
  const asked: string[] = []
  const hidden: PresenceOf = (owner, viewer) => {
    asked.push(`${owner} ${viewer.user}`)
    return false
  }
  t.notOk(read(alice, 'users/bob/presence', NO_RULES, hidden))
  t.same(asked, ['bob alice'])
  t.ok(read(bob, 'users/bob/presence', NO_RULES, hidden), 'and always by its user')
  t.ok(read(alice, 'users/bob/profile', NO_RULES, hidden))
  t.notOk(read(lamp, 'users/bob/presence'))
  t.notOk(read(alice, 'users/Bob/presence'))
})

t.test(
  'what a filter was accepted for without a rule is readable, or hidden on purpose',
  async () => {
    const level = fc.constantFrom('users', 'alice', 'bob', 'inbox', 'presence', 'avatar', 'm1', 'x')
    const other = fc.constantFrom('things', 'relays', '$SYS', 'groups', 'status', 'receipts', '')
    const levels = fc.array(fc.oneof(level, other), { minLength: 1, maxLength: 5 })
    const wild = fc.array(fc.oneof(level, other, fc.constant('+')), { minLength: 1, maxLength: 5 })
    const filters = fc.tuple(wild, fc.boolean()).map(([all, isOpen]) => {
      return (isOpen ? [...all, '#'] : all).join('/')
    })
    fc.assert(
      fc.property(filters, levels, fc.boolean(), (filter, path, isAdmin) => {
        const topic = path.join('/')
        const who = user('alice', isAdmin)
        if (subscribe(who, filter) !== 'ok' || !filterMatches(filter, topic)) return true
        const isOwn = /^users\/alice(\/|$)/.test(topic)
        return read(who, topic) || isOwn || /^(things|users\/[^/]*\/presence)$/.test(topic)
      }),
      { numRuns: 20_000 },
    )
  },
)

t.test('nobody reads a mailbox of another by any accepted filter', async () => {
  const level = fc.constantFrom('users', 'bob', 'alice', 'inbox', 'receipts', 'm1', '+', '#')
  const filters = fc.array(level, { minLength: 1, maxLength: 6 }).map((all) => all.join('/'))
  const mail = ['users/bob/inbox/alice/m1', 'users/bob/receipts/alice/m1', 'users/bob/inbox/bob/m1']
  fc.assert(
    fc.property(filters, fc.constantFrom(alice, admin, lamp, anonymous), (filter, who) => {
      if (mail.some((topic) => read(who, topic, ALL_OPEN))) return false
      const isAccepted = subscribe(who, filter) === 'ok'
      return !isAccepted || !mail.some((topic) => filterMatches(filter, topic))
    }),
    { numRuns: 20_000 },
  )
})
