/** What a bench and its load process say to each other, as JSON over the process channel. */
import type { Address, Credential } from '../test/drill/broker.ts'

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
  /** Every user's device connects and stays. */
  | { readonly do: 'receive'; readonly address: Address }
  /** All publishers send for so long, or so many messages in total. */
  | { readonly do: 'publish'; readonly ms: number }
  | { readonly do: 'publish'; readonly messages: number }
  /** Answers as soon as the devices have had so many messages in all. */
  | { readonly do: 'await'; readonly arrivals: number }
  | { readonly do: 'leave' }

export type Answer = {
  readonly error?: string
  /** Of `publish`: acknowledged within `ms`. */
  readonly acknowledged: number
  readonly refused: number
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
