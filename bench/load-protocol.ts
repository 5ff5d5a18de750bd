/** What a bench and its load process say to each other, as JSON over the process channel. */
import type { Address, Credential } from '../test/drill/broker.ts'
import type { FanOptions } from './fan.ts'

export type LoadOptions = {
  readonly seed: number
  readonly payloadBytes: number
  /** Messages in flight for each publisher. */
  readonly window: number
}

export type Command =
  | { readonly do: 'prepare'; readonly users: readonly Credential[]; readonly options: LoadOptions }
  /** Every user's device subscribes to its inbox once and leaves. */
  | { readonly do: 'register'; readonly address: Address }
  /** Every user's publisher connects and stays. */
  | { readonly do: 'connect'; readonly address: Address; readonly wantsReceipts: boolean }
  /** Every user's device connects and stays; `clean` where no session outlives its connection. */
  | { readonly do: 'receive'; readonly address: Address; readonly clean: boolean }
  /** All publishers send for so long, or so many messages in total. */
  | { readonly do: 'publish'; readonly ms: number }
  | { readonly do: 'publish'; readonly messages: number }
  /** Answers as soon as the devices have had so many messages in all. */
  | { readonly do: 'await'; readonly arrivals: number }
  | { readonly do: 'leave' }
  /** One publisher and many readers of a topic connect and stay, in place of those before. */
  | { readonly do: 'fan'; readonly fan: FanOptions }
  /** Its publisher sends for so long. */
  | { readonly do: 'blow'; readonly ms: number }

export type Answer = {
  readonly error?: string
  /** Of `publish`: acknowledged within `ms`. */
  readonly acknowledged: number
  readonly refused: number
  /** Of `publish` and `blow`: delivered within `ms`. */
  readonly arrived: number
  readonly ms: number
  /** CPU time of the load process in that time. */
  readonly cpuMs: number
  /** Messages sent so far by each publisher. */
  readonly sent: readonly number[]
}

/** The number that makes the payloads of the publisher at `index` unique. */
export function markerOf(seed: number, index: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ index) >>> 0
}
