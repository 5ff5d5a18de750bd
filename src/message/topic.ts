/**
 * The one file that knows the topic grammar of the contract, and what a filter matches.
 *
 *     users/{to}/inbox/{from}/{id}        a message                    -> inbox
 *     users/{from}/receipts/{to}/{id}     what became of it            -> receipt
 *     users/{to}/signals/{from}/{kind}    typing and the like          -> signal
 *     users/{id}/presence|profile|avatar                               -> person
 *     groups/{group}/inbox/{from}/{id}                                 -> group
 *     things/{id}/...   relays/{id}/...   $SYS/...                     -> thing, relay, system
 *     anything else                                                    -> other
 */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import {
  type MessageId,
  messageId,
  shown,
  type ThingId,
  thingId,
  type UserId,
  userId,
} from './names.ts'

/** A topic in a name space of the contract, or `other`. */
export type Topic =
  | { readonly kind: 'inbox'; readonly to: UserId; readonly from: UserId; readonly id: MessageId }
  | { readonly kind: 'receipt'; readonly from: UserId; readonly to: UserId; readonly id: MessageId }
  | { readonly kind: 'signal'; readonly to: UserId; readonly from: UserId; readonly name: string }
  | {
      readonly kind: 'person'
      readonly user: UserId
      readonly what: 'presence' | 'profile' | 'avatar'
    }
  | {
      readonly kind: 'group'
      readonly group: string
      readonly from: UserId
      readonly id: MessageId
    }
  | { readonly kind: 'thing'; readonly thing: ThingId; readonly path: string }
  | { readonly kind: 'relay' }
  | { readonly kind: 'system' }
  | { readonly kind: 'other' }

/** First levels that belong to the contract: `access.rules` never open these. */
const RESERVED = new Set(['users', 'groups', 'things', 'relays', '$SYS'])

/** Whether a topic or filter with this first level can only mean a name space of the contract. */
export function isReserved(firstLevel: string): boolean {
  return RESERVED.has(firstLevel) || firstLevel.startsWith('$')
}

/**
 * Reads a topic name.
 * @throws BAD_TOPIC for a topic inside a reserved name space that is none of its forms, or that
 *   names a user, thing or message in letters that are not allowed
 */
export function parseTopic(topic: string): Topic {
  try {
    return parsed(topic)
  } catch (error) {
    // A bad name is BAD_NAME elsewhere; MQTT has no such answer to a publish.
    if (!(error instanceof RelayError) || error.code === 'BAD_TOPIC') throw error
    throw new RelayError('BAD_TOPIC', `topic ${shown(topic)}: ${error.message}`, { cause: error })
  }
}

function parsed(topic: string): Topic {
  const levels = topic.split('/')
  switch (levels[0]) {
    case 'users':
      return userTopic(topic, levels)
    case 'groups':
      if (levels.length === 5 && levels[2] === 'inbox') {
        const [, group = '', , from = '', id = ''] = levels
        return { kind: 'group', group: userId(group), from: userId(from), id: messageId(id) }
      }
      throw badTopic(topic, 'groups/{group}/inbox/{from}/{id}')
    case 'things':
      if (levels.length < 3) throw badTopic(topic, 'things/{id}/{…}')
      return { kind: 'thing', thing: thingId(levels[1] ?? ''), path: levels.slice(2).join('/') }
    case 'relays':
      return { kind: 'relay' }
    default:
      return topic.startsWith('$') ? { kind: 'system' } : { kind: 'other' }
  }
}

function userTopic(topic: string, levels: string[]): Topic {
  const [, user = '', box, peer = '', last = ''] = levels
  if (levels.length === 3 && (box === 'presence' || box === 'profile' || box === 'avatar')) {
    return { kind: 'person', user: userId(user), what: box }
  }
  if (levels.length === 5) {
    const owner = userId(user)
    const other = userId(peer)
    if (box === 'inbox') return { kind: 'inbox', to: owner, from: other, id: messageId(last) }
    if (box === 'receipts') return { kind: 'receipt', from: owner, to: other, id: messageId(last) }
    if (box === 'signals' && last !== '') {
      return { kind: 'signal', to: owner, from: other, name: last }
    }
  }
  throw badTopic(topic, 'users/{id}/inbox|receipts|signals/{…}/{…} and users/{id}/profile|avatar')
}

function badTopic(topic: string, allowed: string): RelayError {
  return new RelayError('BAD_TOPIC', `topic ${shown(topic)}: ${allowed} is allowed`)
}

/** Where a message to `to` is delivered. */
export function inboxTopic(to: UserId, from: UserId, id: MessageId): string {
  return `users/${to}/inbox/${from}/${id}`
}

/** Where the sender is told of a message. */
export function receiptTopic(from: UserId, to: UserId, id: MessageId): string {
  return `users/${from}/receipts/${to}/${id}`
}

/** Where the relay says whether a user is online. */
export function presenceTopic(user: UserId): string {
  return `users/${user}/presence`
}

/**
 * Whether a topic name is well formed and not too deep: not empty, no wildcards, no U+0000
 * [MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2].
 */
export function isTopicName(topic: string): boolean {
  return topic !== '' && !/[#+\0]/.test(topic) && isShallow(topic)
}

/** Counts without splitting: a topic may consist of 65,535 slashes. */
function isShallow(topic: string): boolean {
  let levels = 1
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) {
    levels += 1
    if (levels > LIMITS.topicLevelsMax) return false
  }
  return true
}

/**
 * Whether a topic filter is well formed and not too deep: no empty filter, `#` only as the last
 * level, `#` and `+` only alone in theirs, no U+0000 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1]
 * [MQTT-4.7.3-2].
 */
export function isFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0') || !isShallow(filter)) return false
  const levels = filter.split('/')
  return levels.every((level, at) => {
    if (level === '#') return at === levels.length - 1
    return level === '+' || !/[#+]/.test(level)
  })
}

/**
 * Whether `filter` matches `topic`. A wildcard in the first level matches no topic that begins
 * with `$` [MQTT-4.7.2-1]; `a/#` matches `a` (4.7.1.2).
 */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false
  // Runs for each delivery and each rule, so it compares in place; both begin a level here.
  let at = 0
  let given = 0
  while (at <= filter.length) {
    if (filter[at] === '#') return true
    if (given > topic.length) return false
    const end = endOfLevel(filter, at)
    const givenEnd = endOfLevel(topic, given)
    const isAny = filter[at] === '+'
    if (!isAny && !isSame(filter, at, end, topic, given, givenEnd)) return false
    at = end + 1
    given = givenEnd + 1
  }
  return given > topic.length
}

function endOfLevel(text: string, from: number): number {
  const slash = text.indexOf('/', from)
  return slash === -1 ? text.length : slash
}

function isSame(
  one: string,
  from: number,
  to: number,
  other: string,
  otherFrom: number,
  otherTo: number,
): boolean {
  if (to - from !== otherTo - otherFrom) return false
  for (let at = 0; at < to - from; at += 1) {
    if (one.charCodeAt(from + at) !== other.charCodeAt(otherFrom + at)) return false
  }
  return true
}

/** Whether every topic that `inner` matches is matched by `outer` too. */
export function filterCovers(outer: string, inner: string): boolean {
  if (inner.startsWith('$') !== outer.startsWith('$')) return false
  const wide = outer.split('/')
  const narrow = inner.split('/')
  for (const [at, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[at]
    // `a/#` also matches `a`, so only a `#` of the outer filter can cover it.
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return wide.length === narrow.length
}

/** Whether some topic is matched by both filters. */
export function filtersMeet(one: string, other: string): boolean {
  // A wildcard in the first level matches nothing that begins with `$`.
  if (one.startsWith('$') !== other.startsWith('$')) return false
  const a = one.split('/')
  const b = other.split('/')
  for (let at = 0; ; at += 1) {
    const x = a[at]
    const y = b[at]
    if (x === '#' || y === '#') return true
    if (x === undefined || y === undefined) {
      // `a` and `a/#` meet in `a`.
      return x === y
    }
    if (x !== '+' && y !== '+' && x !== y) return false
  }
}
