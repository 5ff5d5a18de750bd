/** One subscription of a session, and what several of them that match grant together. */
import { decode, encode } from 'cborg'

export type Subscription = {
  /** The filter, without `$share/{group}/`. */
  readonly filter: string
  /** Of a shared subscription (4.8.2). */
  readonly group: string | undefined
  readonly qos: 0 | 1 | 2
  readonly isNoLocal: boolean
  /** Retain As Published (3.8.3.1). */
  readonly isAsPublished: boolean
  readonly identifier: number | undefined
}

/** How a message goes to a session. */
export type Grant = {
  readonly qos: 0 | 1 | 2
  readonly isAsPublished: boolean
  readonly identifiers: readonly number[]
}

type Stored = [
  filter: string,
  group: string | null,
  qos: 0 | 1 | 2,
  isNoLocal: boolean,
  isAsPublished: boolean,
  identifier: number,
]

/** A CBOR array of the fields; 0 where there is no identifier. */
export function encodeSubscription(subscription: Subscription): Uint8Array {
  const { filter, group, qos, isNoLocal, isAsPublished, identifier } = subscription
  const stored: Stored = [filter, group ?? null, qos, isNoLocal, isAsPublished, identifier ?? 0]
  return encode(stored)
}

export function decodeSubscription(bytes: Uint8Array): Subscription {
  const stored = decode(bytes) as Stored
  const [filter, group, qos, isNoLocal, isAsPublished, identifier] = stored
  return {
    filter,
    group: group ?? undefined,
    qos,
    isNoLocal,
    isAsPublished,
    identifier: identifier === 0 ? undefined : identifier,
  }
}

/**
 * One copy for all subscriptions of a session that match: with the highest of their QoS
 * [MQTT-3.3.4-2], the identifiers of all [MQTT-3.3.4-4], and RETAIN as published where one of
 * them wants that [MQTT-3.3.1-13].
 * @returns `undefined` where there are none
 */
export function grantOf(subscriptions: readonly Subscription[]): Grant | undefined {
  if (subscriptions.length === 0) return undefined
  const identifiers = subscriptions.flatMap(({ identifier }) => identifier ?? [])
  return {
    qos: Math.max(...subscriptions.map(({ qos }) => qos)) as 0 | 1 | 2,
    isAsPublished: subscriptions.some(({ isAsPublished }) => isAsPublished),
    identifiers: [...new Set(identifiers)],
  }
}
