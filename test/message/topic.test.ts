import fc from 'fast-check'
import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { messageId, userId } from '../../src/message/names.ts'
import {
  filterCovers,
  filterMatches,
  filtersMeet,
  inboxTopic,
  isFilter,
  isReserved,
  isTopicName,
  parseTopic,
  presenceTopic,
  receiptTopic,
} from '../../src/message/topic.ts'

const BAD_TOPIC: { code: ErrorCode } = { code: 'BAD_TOPIC' }
const alice = userId('alice')
const bob = userId('bob')
const m1 = messageId('m1')

t.test('every form of the contract is read', async (t) => {
  t.same(parseTopic('users/bob/inbox/alice/m1'), { kind: 'inbox', to: bob, from: alice, id: m1 })
  t.same(parseTopic('users/alice/receipts/bob/m1'), {
    kind: 'receipt',
    from: alice,
    to: bob,
    id: m1,
  })
  t.same(parseTopic('users/bob/signals/alice/typing'), {
    kind: 'signal',
    to: bob,
    from: alice,
    name: 'typing',
  })
  for (const what of ['presence', 'profile', 'avatar']) {
    t.same(parseTopic(`users/bob/${what}`), { kind: 'person', user: bob, what })
  }
  t.same(parseTopic('groups/team/inbox/alice/m1'), {
    kind: 'group',
    group: 'team',
    from: alice,
    id: m1,
  })
  t.same(parseTopic('things/lamp/a/b'), { kind: 'thing', thing: 'lamp', path: 'a/b' })
  t.same(parseTopic('relays/x/status'), { kind: 'relay' })
  t.same(parseTopic('$SYS/uptime'), { kind: 'system' })
  for (const topic of ['house/temp', 'Users/bob/inbox/alice/m1', 'usersx/a', '/users', 'user']) {
    t.same(parseTopic(topic), { kind: 'other' })
  }
})

t.test('what the relay writes it reads', async (t) => {
  t.match(parseTopic(inboxTopic(bob, alice, m1)), { kind: 'inbox', to: bob, from: alice, id: m1 })
  t.match(parseTopic(receiptTopic(alice, bob, m1)), { kind: 'receipt', from: alice, to: bob })
  t.match(parseTopic(presenceTopic(bob)), { kind: 'person', user: bob, what: 'presence' })
})

t.test('anything else in a reserved name space is a bad topic', async (t) => {
  const bad = [
    'users',
    'users/',
    'users/bob',
    'users//inbox/alice/m1',
    'users/bob/inbox/alice',
    'users/bob/inbox/alice/m1/x',
    'users/bob/inbox/alice/',
    'users/bob/mail/alice/m1',
    'users/bob/signals/alice/',
    'users/bob/presence/',
    'users/Bob/inbox/alice/m1',
    'users/bob%2finbox/alice/m1',
    'users/__proto__/presence',
    'groups/team/inbox/alice',
    'groups/team/box/alice/m1',
    'things',
    'things/lamp',
    'things/Lamp/x',
    'things//x',
  ]
  for (const topic of bad) t.throws(() => parseTopic(topic), BAD_TOPIC, topic)
})

t.test('first levels of the contract and all with a dollar are reserved', async (t) => {
  for (const level of ['users', 'groups', 'things', 'relays', '$SYS', '$share', '$']) {
    t.ok(isReserved(level))
  }
  for (const level of ['', '+', '#', 'user', 'Users', 'constructor']) t.notOk(isReserved(level))
})

t.test('a topic name has no wildcards, is not empty and not too deep', async (t) => {
  const max = LIMITS.topicLevelsMax
  for (const topic of ['a', '/', '//', 'a/b', '$', 'x'.repeat(65_535)]) t.ok(isTopicName(topic))
  for (const topic of ['', 'a/+', '#', 'a+', 'a\0b']) t.notOk(isTopicName(topic))
  t.ok(isTopicName('a/'.repeat(max - 1)))
  t.notOk(isTopicName('a/'.repeat(max)))
  t.notOk(isTopicName('/'.repeat(65_535)))
})

t.test('a filter has wildcards only alone in a level, and # only at its end', async (t) => {
  const max = LIMITS.topicLevelsMax
  for (const filter of ['#', '+', '+/+', 'a/#', '/', '/+', 'a//b', '$SYS/#']) t.ok(isFilter(filter))
  for (const filter of ['', '##', 'a#', '#/a', 'a/#/b', 'a+', '+a/b', '++', 'a\0']) {
    t.notOk(isFilter(filter))
  }
  t.ok(isFilter('+/'.repeat(max - 1)))
  t.notOk(isFilter('+/'.repeat(max)))
})

t.test('filters match as the standard says', async (t) => {
  const cases: [string, string, boolean][] = [
    ['sport/#', 'sport', true],
    ['sport/#', 'sport/', true],
    ['sport/#', 'sport/a/b', true],
    ['sport/#', 'sports', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['sport/+', 'sport/a/b', false],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', 'a/b', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['$SYS/+', '$SYS/a', true],
    ['a/b', 'a', false],
    ['a', 'a/b', false],
    ['a/b/#', 'a', false],
    ['users/bob/#', 'users/bobby/inbox', false],
    ['users/bobby/#', 'users/bob/inbox', false],
  ]
  for (const [filter, topic, expected] of cases) {
    t.equal(filterMatches(filter, topic), expected, `${filter} and ${topic}`)
  }
})

t.test('a wildcard in the first level never meets or covers a dollar topic', async (t) => {
  for (const filter of ['#', '+/#', '+/uptime']) {
    t.notOk(filtersMeet(filter, '$SYS/uptime'))
    t.notOk(filtersMeet('$SYS/uptime', filter))
    t.notOk(filterCovers(filter, '$SYS/uptime'))
  }
  t.ok(filterCovers('$SYS/#', '$SYS/uptime'))
  t.ok(filtersMeet('$SYS/#', '$SYS/+'))
})

t.test('only filters that lie wholly inside are covered', async (t) => {
  const covered = [
    ['a/#', 'a'],
    ['a/#', 'a/#'],
    ['a/#', 'a/+/b'],
    ['a/+', 'a/b'],
    ['#', '+/a'],
  ]
  for (const [outer = '', inner = ''] of covered) t.ok(filterCovers(outer, inner))
  const not = [
    ['a/+', 'a/#'],
    ['a/b', 'a/+'],
    ['a/+/#', 'a/#'],
    ['+', '#'],
    ['a/b/#', 'a'],
    ['users/bob/#', 'users/bobby/inbox'],
  ]
  for (const [outer = '', inner = ''] of not) t.notOk(filterCovers(outer, inner))
})

// Few names, so that filters and topics often meet.
const name = fc.constantFrom('', 'a', 'b', 'ab', '$', '$a')
const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(
    fc.array(fc.oneof(name, fc.constant('+')), { minLength: 0, maxLength: 4 }),
    fc.constantFrom('', '#'),
  )
  .map(([levels, end]) => (end === '' ? levels : [...levels, end]).join('/'))
  .filter(isFilter)

/** The definition, word for word, to compare with. */
function matchesBySplitting(pattern: string, text: string): boolean {
  if (text.startsWith('$') && /^[+#]/.test(pattern)) return false
  const wanted = pattern.split('/')
  const given = text.split('/')
  const end = wanted.indexOf('#')
  if (end === -1 ? wanted.length !== given.length : given.length < end) return false
  return wanted
    .slice(0, end === -1 ? undefined : end)
    .every((level, at) => level === '+' || level === given[at])
}

/** Every topic that could tell two filters of this alphabet apart. */
const allTopics: string[] = []
const names = ['', 'a', 'b', 'ab', '$', '$a', 'other']
for (
  let level = names;
  level.length < 3_000;
  level = level.flatMap((t) => names.map((n) => `${t}/${n}`))
) {
  allTopics.push(...level)
}

t.test('matching is as defined', async () => {
  fc.assert(
    fc.property(filter, topic, (f, x) => filterMatches(f, x) === matchesBySplitting(f, x)),
    { numRuns: 2_000 },
  )
})

t.test('a covered filter matches nothing that the covering one does not', async () => {
  fc.assert(
    fc.property(filter, filter, (outer, inner) => {
      if (!filterCovers(outer, inner)) return true
      return allTopics.every((x) => !filterMatches(inner, x) || filterMatches(outer, x))
    }),
    { numRuns: 5_000 },
  )
})

t.test('a filter covers itself, and what it matches as a filter', async () => {
  fc.assert(
    fc.property(filter, topic, (f, x) => {
      return filterCovers(f, f) && (x === '' || filterCovers(f, x) === filterMatches(f, x))
    }),
    { numRuns: 2_000 },
  )
})

t.test('filters meet exactly where a topic is matched by both, in either order', async () => {
  const short = filter.filter((f) => f.split('/').length <= 4)
  fc.assert(
    fc.property(short, short, (one, other) => {
      const meets = filtersMeet(one, other)
      if (meets !== filtersMeet(other, one)) return false
      // The empty topic is no topic: it cannot be published to.
      return (
        meets === ['', ...allTopics].some((x) => filterMatches(one, x) && filterMatches(other, x))
      )
    }),
    { numRuns: 500 },
  )
})

t.test('a covered filter meets its cover', async () => {
  fc.assert(
    fc.property(filter, filter, (outer, inner) => {
      return !filterCovers(outer, inner) || filtersMeet(outer, inner)
    }),
    { numRuns: 2_000 },
  )
})

t.test('any text is read or refused as a bad topic', async () => {
  const piece = fc.constantFrom('users', 'things', 'groups', '$SYS', '/', 'inbox', 'bob', '\0', '+')
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(text, (x) => {
      try {
        return typeof parseTopic(x).kind === 'string'
      } catch (error) {
        return (error as { code?: unknown }).code === 'BAD_TOPIC'
      }
    }),
  )
})
