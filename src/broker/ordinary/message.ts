/** A message on an ordinary topic: as it was published, and as one session gets it. */
import { decode, encode } from 'cborg'
import type { Properties } from '../../message/message.ts'

export type OrdinaryMessage = {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  /** RETAIN, as it was published. */
  readonly isRetained: boolean
  readonly properties: Properties | undefined
  /** Age of the store, in milliseconds, at which it expires; `Infinity` where it does not. */
  readonly deadlineMs: number
}

/** What one session gets of a message: QoS and RETAIN are those of its subscriptions. */
export type Delivery = OrdinaryMessage & {
  /** Subscription Identifiers (3.3.2.3.8). */
  readonly identifiers: readonly number[]
}

/** In the place of a QoS 2 delivery that the client has received and not completed. */
export const RELEASED = 'released'
export type Queued = Delivery | typeof RELEASED

type Stored = [
  topic: string,
  payload: Uint8Array,
  qos: 0 | 1 | 2,
  isRetained: boolean,
  deadlineMs: number,
  properties: Properties | null,
  identifiers: readonly number[],
]

/** A CBOR array of the fields; 0 for what does not expire. */
export function encodeDelivery(delivery: Delivery): Uint8Array {
  const { topic, payload, qos, isRetained, deadlineMs, properties, identifiers } = delivery
  const stored: Stored = [
    topic,
    payload,
    qos,
    isRetained,
    deadlineMs === Number.POSITIVE_INFINITY ? 0 : deadlineMs,
    properties ?? null,
    identifiers,
  ]
  return encode(stored)
}

/** Stored for `RELEASED`. */
export const RELEASED_BYTES: Uint8Array = encode(RELEASED)

export function decodeQueued(bytes: Uint8Array): Queued {
  const stored = decode(bytes) as Stored | typeof RELEASED
  return stored === RELEASED ? RELEASED : deliveryOf(stored)
}

export function decodeDelivery(bytes: Uint8Array): Delivery {
  return deliveryOf(decode(bytes) as Stored)
}

function deliveryOf(stored: Stored): Delivery {
  const [topic, payload, qos, isRetained, deadlineMs, properties, identifiers] = stored
  return {
    topic,
    payload,
    qos,
    isRetained,
    deadlineMs: deadlineMs === 0 ? Number.POSITIVE_INFINITY : deadlineMs,
    properties: properties ?? undefined,
    identifiers,
  }
}

/** The same delivery, apart from the packet in which it came. */
export function kept(delivery: Delivery): Delivery {
  return { ...delivery, payload: Uint8Array.from(delivery.payload) }
}

/** Seconds left to live, at least 1 (3.3.2.3.3); `undefined` for what does not expire. */
export function secondsLeft(deadlineMs: number, ageMs: number): number | undefined {
  if (deadlineMs === Number.POSITIVE_INFINITY) return undefined
  return Math.max(1, Math.ceil((deadlineMs - ageMs) / 1000))
}
