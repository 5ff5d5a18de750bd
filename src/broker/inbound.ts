/**
 * Where a PUBLISH goes: a message to the post office, a `read` to the sender's receipts, anything
 * ordinary on to aedes. What is refused is told: with a reason code to MQTT 5, with a `refused`
 * receipt to every version where it was a message.
 */
import type { AcceptWaiter } from '../delivery/acceptance.ts'
import type { PostOffice } from '../delivery/post-office.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { parseTopic, type Topic } from '../message/topic.ts'
import { accountName, type Identity } from '../roster/identity.ts'
import { PRIVACIES, type Privacy } from '../roster/presence.ts'
import type { Roster } from '../roster/roster.ts'
import { mayPublish, type Rules } from './access.ts'
import type { Connection } from './connection.ts'
import type { Publish } from './publish.ts'
import { encodeAck, REASON } from './wire.ts'

type InboxTopic = Extract<Topic, { kind: 'inbox' }>
type PersonTopic = Extract<Topic, { kind: 'person' }>
type ReceiptTopic = Extract<Topic, { kind: 'receipt' }>

/** Decides the acknowledgement of one PUBLISH; the reason code is MQTT 5's. */
type Answer = (reason: number) => void

export class Inbound {
  readonly #post: PostOffice
  readonly #roster: Pick<Roster, 'setPresencePrivacy'>
  readonly #signal: (topic: string, payload: Buffer) => void
  readonly #rules: Rules
  readonly #log: Log

  /** @param parts.signal passes something on to whoever is subscribed now; it is never stored */
  constructor(
    parts: {
      post: PostOffice
      roster: Pick<Roster, 'setPresencePrivacy'>
      signal: (topic: string, payload: Buffer) => void
      log: Log
    },
    options: { rules: Rules },
  ) {
    this.#post = parts.post
    this.#roster = parts.roster
    this.#signal = parts.signal
    this.#log = parts.log
    this.#rules = options.rules
  }

  /** @throws PROTOCOL_ERROR for more QoS 2 publishes at once than the relay has said it takes */
  publish(connection: Connection, publish: Publish, pass: () => void): void {
    const { identity } = connection
    if (identity === undefined) return
    try {
      this.#route(connection, publish, mayPublish(identity, publish.topic, this.#rules), pass)
    } catch (error) {
      if (!(error instanceof RelayError) || error.code === 'PROTOCOL_ERROR') throw error
      this.#refuse(connection, identity, publish, error)
    }
  }

  #route(connection: Connection, publish: Publish, topic: Topic, pass: () => void): void {
    switch (topic.kind) {
      case 'inbox':
        this.#accept(topic, publish, this.#answer(connection, publish))
        return
      case 'receipt':
        this.#read(topic, publish)
        this.#answer(connection, publish)(REASON.success)
        return
      case 'signal':
        this.#signal(publish.topic, publish.payload)
        this.#answer(connection, publish)(REASON.success)
        return
      case 'person':
        this.#person(topic, publish)
        pass()
        return
      default:
        pass()
    }
  }

  #accept(topic: InboxTopic, publish: Publish, answer: Answer): void {
    const { payload, qos, properties } = publish
    const { messageExpiryInterval, topicAlias: _alias, ...kept } = properties
    const waiter: AcceptWaiter = {
      accepted: () => answer(REASON.success),
      refused: (error) => answer(refusalReason(error)),
    }
    this.#post.accept(
      {
        id: topic.id,
        from: topic.from,
        to: topic.to,
        qos,
        payload,
        ...(Object.keys(kept).length === 0 ? {} : { properties: kept }),
        ...(messageExpiryInterval === undefined ? {} : { expiresAfterS: messageExpiryInterval }),
      },
      waiter,
    )
  }

  /** The recipient says that a message was read: `{"status":"read"}`, or an empty payload. */
  #read({ from, to, id }: ReceiptTopic, { payload }: Publish): void {
    if (payload.length > 0 && statusOf(payload) !== 'read') {
      const says = `a receipt from a user says {"status":"read"}; the relay says everything else`
      throw new RelayError('BAD_PAYLOAD', says)
    }
    this.#post.read(from, to, id)
  }

  #person(topic: PersonTopic, { payload }: Publish): void {
    if (topic.what === 'avatar') {
      throw new RelayError('BAD_TOPIC', 'this relay takes no avatars yet')
    }
    const privacy = presencePrivacy(jsonOf(payload))
    if (privacy !== undefined) this.#roster.setPresencePrivacy(topic.user, privacy)
  }

  #refuse(connection: Connection, identity: Identity, publish: Publish, error: RelayError): void {
    const { code, message } = error
    const client = connection.connect?.clientId
    this.#log.info({ client, address: connection.address, code }, message)
    const answer = this.#answer(connection, publish)
    const topic = messageTopic(publish.topic)
    const isSender = identity.kind === 'user' && topic?.from === identity.user
    if (topic !== undefined && isSender) {
      this.#post.refuse(topic, error, { refused: () => answer(refusalReason(error)) })
    } else {
      answer(refusalReason(error))
    }
  }

  /**
   * Keeps the place of the acknowledgement in the order of publishes. 3.1.1 has no way to refuse
   * but to close, after which clients send the same again for ever; so it is acknowledged.
   */
  #answer(connection: Connection, { qos, packetId }: Publish): Answer {
    if (qos === 0) return () => undefined
    const { version, acknowledgements, unreleased } = connection
    if (qos === 1) {
      const decide = acknowledgements.expect(packetId)
      return (reason) => decide(encodeAck('puback', packetId, version, reason))
    }
    if (unreleased.size >= LIMITS.receiveMax) {
      const says = `more than ${LIMITS.receiveMax} QoS 2 publishes without PUBREL`
      throw new RelayError('PROTOCOL_ERROR', says)
    }
    // With a failure MQTT 5 ends the exchange at PUBREC (4.3.3); 3.1.1 goes on to PUBREL.
    unreleased.add(packetId)
    const decide = acknowledgements.expect(packetId)
    return (reason) => {
      if (version === 5 && reason !== REASON.success) unreleased.delete(packetId)
      decide(encodeAck('pubrec', packetId, version, reason))
    }
  }
}

/** MQTT 5 tells apart only whether there was no room (0x97) or no right (0x87). */
function refusalReason(error: RelayError): number {
  return error.facts.mqtt === REASON.quotaExceeded ? REASON.quotaExceeded : REASON.notAuthorized
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

/** What a connection is called: the user name that it has signed in with. */
export function nameOf(identity: Identity): string {
  return identity.kind === 'anonymous' ? '' : accountName(identity)
}
