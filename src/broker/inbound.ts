/**
 * Where a PUBLISH goes: a message to the post office, a `read` to the sender's receipts, anything
 * else to the ordinary topics. What is refused is told: with a reason code to MQTT 5, with a
 * `refused` receipt to every version where it was a message.
 */
import type { AcceptWaiter } from '../delivery/acceptance.ts'
import type { PostOffice } from '../delivery/post-office.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Properties } from '../message/message.ts'
import { parseTopic, type Topic } from '../message/topic.ts'
import type { Identity } from '../roster/identity.ts'
import { PRIVACIES, type Privacy } from '../roster/presence.ts'
import type { Roster } from '../roster/roster.ts'
import type { Store } from '../store/store.ts'
import { mayPublish, type Rules } from './access.ts'
import { answerTo, NOBODY } from './answer.ts'
import type { Connection } from './connection.ts'
import type { OrdinarySession } from './ordinary/session.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import type { Will } from './ordinary/wills.ts'
import { encodeProperties, NO_PROPERTIES, type PublishProperties } from './properties.ts'
import type { Publish } from './publish.ts'

type InboxTopic = Extract<Topic, { kind: 'inbox' }>
type PersonTopic = Extract<Topic, { kind: 'person' }>
type ReceiptTopic = Extract<Topic, { kind: 'receipt' }>

/** What is published, however it came. */
type Content = Omit<Publish, 'packetId'> & {
  /** Of the client that is here. */
  readonly from?: OrdinarySession | undefined
  /** The packet identifier of a QoS 2 publish. */
  readonly begins?: number | undefined
}

export class Inbound {
  readonly #post: PostOffice
  readonly #roster: Pick<Roster, 'setPresencePrivacy'>
  readonly #store: Pick<Store, 'isFull'>
  readonly #topics: OrdinaryTopics
  readonly #rules: Rules
  readonly #log: Log

  constructor(
    parts: {
      post: PostOffice
      roster: Pick<Roster, 'setPresencePrivacy'>
      store: Pick<Store, 'isFull'>
      topics: OrdinaryTopics
      log: Log
    },
    options: { rules: Rules },
  ) {
    this.#post = parts.post
    this.#roster = parts.roster
    this.#store = parts.store
    this.#topics = parts.topics
    this.#log = parts.log
    this.#rules = options.rules
  }

  /** Takes a PUBLISH; whatever is wrong with it is answered. */
  publish(connection: Connection, publish: Publish): void {
    const { identity, ordinary: from } = connection
    if (identity === undefined) return
    let answer: AcceptWaiter | undefined
    try {
      const topic = mayPublish(identity, publish.topic, this.#rules)
      const isRepeated = publish.qos === 2 && connection.unreleased.has(publish.packetId)
      answer = answerTo(connection, publish)
      // A message or receipt is known by its id [MQTT-4.3.3-10].
      if (isRepeated && topic.kind !== 'inbox' && topic.kind !== 'receipt') answer.accepted()
      else {
        const begins = publish.qos === 2 ? publish.packetId : undefined
        this.#take(topic, { ...publish, from, begins }, answer)
      }
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      this.#log.info({ ...client(connection), code: error.code }, error.message)
      this.#refuse(identity, publish, error, answer ?? answerTo(connection, publish))
    }
  }

  /**
   * The will of a client that is gone, by the same rules as a publish; nobody waits for an answer.
   * @param from the session that it has left behind, if any
   * @throws NOT_AUTHORIZED, BAD_TOPIC, and whatever else is wrong with it
   */
  will(identity: Identity, will: Will, from?: OrdinarySession): void {
    const topic = mayPublish(identity, will.topic, this.#rules)
    const { properties } = will
    const payload = Buffer.from(will.payload)
    const propertiesBytes = encodeProperties({ properties }).length
    this.#take(topic, { ...will, payload, propertiesBytes, from }, NOBODY)
  }

  #take(topic: Topic, publish: Content, answer: AcceptWaiter): void {
    switch (topic.kind) {
      case 'inbox':
        this.#accept(topic, publish, answer)
        return
      case 'receipt':
        this.#read(topic, publish, () => answer.accepted())
        return
      case 'signal':
        // For now: neither kept nor retained, whatever it was published with.
        this.#pass({ ...publish, qos: 0, isRetained: false }, answer)
        return
      case 'person':
        this.#person(topic, publish)
        this.#ordinary(publish, answer)
        return
      default:
        this.#ordinary(publish, answer)
    }
  }

  #ordinary(publish: Content, answer: AcceptWaiter): void {
    this.#checkRoom(publish)
    this.#pass(publish, answer)
  }

  #pass(publish: Content, answer: AcceptWaiter): void {
    const { topic, payload, qos, isRetained, from, begins } = publish
    if (from !== undefined && begins !== undefined) this.#topics.began(from, begins)
    const properties =
      publish.properties === NO_PROPERTIES ? undefined : travelling(publish.properties)
    const deadlineMs = this.#deadline(publish)
    this.#topics.publish({ topic, payload, qos, isRetained, properties, deadlineMs }, from, () =>
      answer.accepted(),
    )
  }

  #deadline({ properties }: Content): number {
    const { messageExpiryInterval: expiresS } = properties
    if (expiresS === undefined) return Number.POSITIVE_INFINITY
    // What expires at once still goes to those who are here.
    return this.#topics.ageMs() + Math.max(1, expiresS * 1000)
  }

  #accept(topic: InboxTopic, publish: Content, answer: AcceptWaiter): void {
    const { payload, qos, properties, propertiesBytes } = publish
    if (propertiesBytes > LIMITS.propertiesBytesMax) {
      const says = `the properties of a message have ${propertiesBytes} bytes; at most ${LIMITS.propertiesBytesMax} are allowed: put more into the payload`
      throw new RelayError('PAYLOAD_TOO_LARGE', says)
    }
    const { id, from, to } = topic
    const { messageExpiryInterval: expiresAfterS } = properties
    const kept = properties === NO_PROPERTIES ? undefined : travelling(properties)
    this.#post.accept({ id, from, to, qos, payload, properties: kept, expiresAfterS }, answer)
  }

  /** The recipient says that a message was read: `{"status":"read"}`, or an empty payload. */
  #read({ from, to, id }: ReceiptTopic, { payload }: Content, recorded: () => void): void {
    if (payload.length > 0 && statusOf(payload) !== 'read') {
      const says = `a receipt from a user says {"status":"read"}; the relay says everything else`
      throw new RelayError('BAD_PAYLOAD', says)
    }
    this.#post.read(from, to, id, recorded)
  }

  #checkRoom({ topic, payload, qos, isRetained }: Content): void {
    if (isRetained && payload.length > 0 && !this.#topics.retained.hasRoom(topic)) {
      const says = 'the relay keeps no more retained messages; remove one by an empty payload'
      throw new RelayError('RETAINED_FULL', says)
    }
    if (qos > 0 && this.#store.isFull) {
      throw new RelayError('DISK_FULL', 'the disk of the relay is full; try again later')
    }
  }

  #person(topic: PersonTopic, { payload }: Content): void {
    if (topic.what === 'avatar') {
      throw new RelayError('BAD_TOPIC', 'this relay takes no avatars yet')
    }
    const privacy = presencePrivacy(jsonOf(payload))
    if (privacy !== undefined) this.#roster.setPresencePrivacy(topic.user, privacy)
  }

  #refuse(identity: Identity, publish: Publish, error: RelayError, answer: AcceptWaiter): void {
    const topic = messageTopic(publish.topic)
    const isSender = identity.kind === 'user' && topic?.from === identity.user
    if (topic !== undefined && isSender) this.#post.refuse(topic, error, answer)
    else answer.refused(error)
  }
}

/** What goes to the recipient with the message. */
function travelling(properties: PublishProperties): Properties | undefined {
  const { messageExpiryInterval: _expiry, topicAlias: _alias, ...kept } = properties
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** Who it was, for the log. */
function client({ connect, address }: Connection): { client: string; address: string } {
  return { client: connect?.clientId ?? '', address }
}

function messageTopic(topic: string): InboxTopic | undefined {
  try {
    const parsed = parseTopic(topic)
    return parsed.kind === 'inbox' ? parsed : undefined
  } catch {
    return undefined
  }
}

function statusOf(payload: Buffer): unknown {
  const json = jsonOf(payload)
  return json instanceof Object && 'status' in json ? json.status : undefined
}

/** A profile says who may see the presence of its owner: `{"privacy":{"presence":"nobody"}}`. */
function presencePrivacy(profile: unknown): Privacy | undefined {
  if (!(profile instanceof Object && 'privacy' in profile)) return undefined
  const { privacy } = profile
  if (!(privacy instanceof Object && 'presence' in privacy)) return undefined
  return PRIVACIES.find((one) => one === privacy.presence)
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}
