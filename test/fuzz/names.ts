/** Topics and filters: those of the contract, and the odd ones that have broken brokers. */
import type { SeededRandom } from '../load/random.ts'

/** The users whose clients the fuzzer plays. */
export const USERS = ['ann', 'bob', 'cy', 'dee'] as const

const deep = (levels: number): string => 'a/'.repeat(levels - 1).concat('a')

const ODD: readonly string[] = [
  ...['', '/', '//', '$', '$SYS', '$SYS/#', '$SYS/x/new/clients', '$share', '$share/', '$share/g'],
  ...['$share//x', '$share/g/', '$share/g/a/b', '$share/+/x', '$share/g/#', '$share/g/users/ann/#'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__proto__/a', 'a/__proto__'],
  ...[
    '#',
    '+',
    '+/+',
    '+/#',
    '/#',
    '/+',
    'a/#/b',
    'a#',
    '+a',
    'a/+/#',
    'users/#',
    'users/+/inbox/#',
  ],
  ...[
    '0',
    '1',
    '10',
    '-1',
    'NaN',
    'null',
    ' ',
    '.',
    '..',
    '../../etc/passwd',
    '%2e%2e',
    'a\nb',
    'a\u001b[31m',
  ],
  ...['\ufeff', 'é', 'e\u0301', '\u{10ffff}', '\uffff', '\u202e', 'ΑΝΝ', 'a:b', 'a\\b'],
]

/** Levels around the bounds of the relay, of aedes, and of a text. */
const DEEP = [31, 32, 33, 99, 100, 101, 200, 32_767].map(deep)
const LONGEST = 65_535

export function oddName(random: SeededRandom): string {
  if (random.chance(0.9)) return random.pick(ODD)
  if (random.chance(0.7)) return random.pick(DEEP)
  return (random.chance(0.5) ? '/' : 'a').repeat(random.chance(0.2) ? LONGEST : 1_000)
}

const ORDINARY: readonly string[] = ['a', 'a/b', 'a/b/c', 'room/1/light', 'x/y']

const messageId = (random: SeededRandom): string =>
  random.chance(0.3) ? `m${random.between(0, 9)}` : random.uint32().toString(36)

/** Where `me` may publish, mostly. */
export function topicFor(random: SeededRandom, me: string): string {
  const other = random.pick(USERS)
  const id = messageId(random)
  return random.pick([
    `users/${other}/inbox/${me}/${id}`,
    `users/${other}/inbox/${me}/${id}`,
    `users/${me}/inbox/${me}/${id}`,
    `users/${other}/receipts/${me}/${id}`,
    `users/${other}/signals/${me}/typing`,
    `users/${me}/profile`,
    random.pick(ORDINARY),
    random.pick(ORDINARY),
    foreignTopic(random, other, id),
    oddName(random),
  ])
}

function foreignTopic(random: SeededRandom, other: string, id: string): string {
  return random.pick([
    `users/${other}/inbox/nobody/${id}`,
    `users/nobody/inbox/${other}/${id}`,
    `users/${other}/presence`,
    `users/${other}/avatar`,
    `groups/g/inbox/${other}/${id}`,
    `things/lamp/${id}`,
    `relays/r/status`,
    `$SYS/${id}`,
  ])
}

export function filterFor(random: SeededRandom, me: string): string {
  return random.pick([
    `users/${me}/inbox/#`,
    `users/${me}/receipts/#`,
    `users/${me}/#`,
    `users/${random.pick(USERS)}/inbox/+/+`,
    `users/+/profile`,
    `things/#`,
    random.pick(ORDINARY),
    `${random.pick(ORDINARY)}/#`,
    `+/${random.pick(ORDINARY)}`,
    oddName(random),
    oddName(random),
  ])
}
