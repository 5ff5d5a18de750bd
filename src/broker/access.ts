/**
 * Who may publish, subscribe to and read what: the topic table of the contract, and the
 * operator's rules for topics outside its name spaces. What is not allowed here is denied.
 *
 * Nothing here remembers anything: it is asked again for every publish, will, retained message
 * and delivery, so a right that was taken away works no longer, whatever is still subscribed.
 */
import type { AccessRule } from '../config/keys.ts'
import { RelayError } from '../errors.ts'
import { shown, type UserId } from '../message/names.ts'
import {
  filterCovers,
  filterMatches,
  filtersMeet,
  isFilter,
  isReserved,
  isTopicName,
  parseTopic,
  type Topic,
} from '../message/topic.ts'
import { ANONYMOUS, accountName, type Identity } from '../roster/identity.ts'

/** `access.rules` of the configuration: the first one that matches decides. */
export type Rules = readonly AccessRule[]

type UserIdentity = Extract<Identity, { kind: 'user' }>

/** Whether a user may see another's presence: `Roster.maySeePresence`. */
export type PresenceOf = (owner: UserId, viewer: UserIdentity) => boolean

/** A SUBSCRIBE's filter; with `group`, `$share/{group}/{filter}`. */
export type Subscription = { readonly filter: string; readonly group?: string }

/**
 * Whether somebody may publish to a topic, be it a message, a will, or an empty payload that
 * clears what is retained.
 * @returns what the topic means
 * @throws BAD_TOPIC for a topic that is malformed or none of the contract's forms
 * @throws NOT_AUTHORIZED
 */
export function mayPublish(identity: Identity, topic: string, rules: Rules): Topic {
  if (!isTopicName(topic)) {
    throw new RelayError(
      'BAD_TOPIC',
      `topic ${shown(topic)}: not empty, no wildcards, not too deep`,
    )
  }
  const parsed = parseTopic(topic)
  const isAllowed =
    parsed.kind === 'other'
      ? isTopicOpen(identity, topic, 'publish', rules)
      : isPublisher(identity, parsed)
  if (isAllowed) return parsed
  throw denied(identity, 'publish to', topic)
}

/** The column "published by" of the contract's topic table. */
function isPublisher(identity: Identity, topic: Exclude<Topic, { kind: 'other' }>): boolean {
  if (identity.kind === 'anonymous') return false
  if (topic.kind === 'thing') {
    // The status is what the relay makes of the thing's own topics.
    return identity.kind === 'thing' && identity.thing === topic.thing && topic.path !== 'status'
  }
  if (identity.kind === 'thing') return false
  switch (topic.kind) {
    case 'inbox':
    case 'signal':
      return topic.from === identity.user
    case 'receipt':
      // The recipient says `read`; everything else is said by the relay.
      return topic.to === identity.user
    case 'person':
      return topic.user === identity.user && topic.what !== 'presence'
    case 'group':
      // Members only, and as long as there are no groups nobody is a member of one.
      return false
    case 'relay':
    case 'system':
      return false
  }
}

/**
 * Whether somebody may subscribe: every topic that the filter matches is readable, or a rule
 * allows the filter. Such a filter (`#`, say) still brings only what `mayRead` lets through.
 * @returns the filter, apart from the group of a shared subscription
 * @throws BAD_TOPIC for a malformed filter
 * @throws NOT_AUTHORIZED
 */
export function maySubscribe(identity: Identity, filter: string, rules: Rules): Subscription {
  const subscription = parseSubscription(filter)
  const isAllowed =
    isReadable(identity, subscription.filter) || isFilterOpen(identity, subscription.filter, rules)
  const sharesMailbox = subscription.group !== undefined && meetsMailbox(identity, subscription)
  if (isAllowed && !sharesMailbox) return subscription
  throw denied(identity, 'subscribe to', filter)
}

const SHARE = '$share/'

/** `$share/{group}/{filter}`; the group has no wildcard and no level [MQTT-4.8.2-1] [MQTT-4.8.2-2]. */
function parseSubscription(text: string): Subscription {
  if (!text.startsWith(SHARE)) {
    if (isFilter(text)) return { filter: text }
  } else {
    const end = text.indexOf('/', SHARE.length)
    const group = text.slice(SHARE.length, end)
    const filter = text.slice(end + 1)
    if (end > SHARE.length && !/[#+\0]/.test(group) && isFilter(filter)) return { filter, group }
  }
  throw new RelayError('BAD_TOPIC', `filter ${shown(text)} is malformed or too deep`)
}

/** What every user may read, beside the own name space. */
const PUBLIC = ['users/+/presence', 'users/+/profile', 'things/#', 'relays/+/status']

/** The column "read by" of the contract's topic table. */
function isReadable(identity: Identity, filter: string): boolean {
  if (identity.kind !== 'user') return false
  if (filterCovers(`users/${identity.user}/#`, filter)) return true
  if (identity.isAdmin && filterCovers('$SYS/#', filter)) return true
  return PUBLIC.some((open) => filterCovers(open, filter))
}

/** Each device has a mailbox of its own: one that took mail from another would lose it. */
function meetsMailbox(identity: Identity, { filter }: Subscription): boolean {
  if (identity.kind !== 'user') return false
  return ['inbox', 'receipts', 'groups'].some((box) =>
    filtersMeet(`users/${identity.user}/${box}/#`, filter),
  )
}

/**
 * Whether a message on this topic may be handed to somebody who is subscribed to it. Asked for
 * each delivery: it compares in place and allocates next to nothing.
 */
export function mayRead(
  identity: Identity,
  topic: string,
  rules: Rules,
  presenceOf: PresenceOf,
): boolean {
  const slash = topic.indexOf('/')
  const first = slash === -1 ? topic : topic.slice(0, slash)
  if (!isReserved(first)) return isTopicOpen(identity, topic, 'subscribe', rules)
  if (identity.kind !== 'user') return false
  switch (first) {
    case 'users':
      return mayReadOfUsers(identity, topic, presenceOf)
    case 'things':
      return true
    case 'relays':
      return filterMatches('relays/+/status', topic)
    case '$SYS':
      return identity.isAdmin
    default:
      return false
  }
}

const OWNER_AT = 'users/'.length

function mayReadOfUsers(identity: UserIdentity, topic: string, presenceOf: PresenceOf): boolean {
  const me = identity.user
  if (topic.startsWith(me, OWNER_AT) && topic[OWNER_AT + me.length] === '/') {
    // The image itself is shown to nobody; the profile links the thumbnails.
    return !filterMatches('users/+/avatar', topic)
  }
  if (filterMatches('users/+/profile', topic)) return true
  if (!filterMatches('users/+/presence', topic)) return false
  const parsed = readable(topic)
  return parsed?.kind === 'person' && presenceOf(parsed.user, identity)
}

function readable(topic: string): Topic | undefined {
  try {
    return parseTopic(topic)
  } catch (error) {
    if (error instanceof RelayError) return undefined
    throw error
  }
}

type Action = AccessRule['actions'][number]

/** The first rule for this topic decides. */
function isTopicOpen(identity: Identity, topic: string, action: Action, rules: Rules): boolean {
  const who = subject(identity)
  for (const rule of rules) {
    if (isFor(rule, who, action) && filterMatches(rule.topics, topic)) {
      return rule.effect === 'allow'
    }
  }
  return false
}

/**
 * The first rule that covers the whole filter decides. One that denies a part of it is left to
 * `mayRead`, which hides that part.
 */
function isFilterOpen(identity: Identity, filter: string, rules: Rules): boolean {
  const slash = filter.indexOf('/')
  if (isReserved(slash === -1 ? filter : filter.slice(0, slash))) return false
  const who = subject(identity)
  for (const rule of rules) {
    if (isFor(rule, who, 'subscribe') && filterCovers(rule.topics, filter)) {
      return rule.effect === 'allow'
    }
  }
  return false
}

function isFor(rule: AccessRule, who: string, action: Action): boolean {
  return (rule.who === '*' || rule.who === who) && rule.actions.includes(action)
}

/** How rules call somebody. */
function subject(identity: Identity): string {
  return identity.kind === 'anonymous' ? ANONYMOUS : accountName(identity)
}

function denied(identity: Identity, action: string, topic: string): RelayError {
  const who = subject(identity)
  return new RelayError(
    'NOT_AUTHORIZED',
    `${who} may not ${action} ${shown(topic)}: outside the relay's own name spaces, access.rules can allow it`,
  )
}
