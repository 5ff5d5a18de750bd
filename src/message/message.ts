/** What is carried: a message between people, and the receipts that tell what became of it. */
import type { ClockQuality } from '../clock.ts'
import type { DeviceId, MessageId, UserId } from './names.ts'

/** A wall-clock time and how far it can be trusted. */
export type Stamp = {
  /** Milliseconds since 1970 as this relay believed. */
  readonly atMs: number
  readonly clock: ClockQuality
}

/** MQTT 5 properties that travel with a message untouched. */
export type Properties = {
  readonly payloadFormatIndicator?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  readonly userProperties?: readonly (readonly [string, string])[]
}

/** An opaque payload from one user to another. */
export type Message = {
  readonly id: MessageId
  readonly from: UserId
  readonly to: UserId
  readonly accepted: Stamp
  /** Seconds that a relay may hold it, counted on monotonic time. */
  readonly expiresAfterS: number
  /** 1, or 2 where the sender used QoS 2. */
  readonly qos: 1 | 2
  readonly payload: Uint8Array
  readonly properties?: Properties | undefined
}

/** What the sender is told of a message. */
export type ReceiptStatus = 'stored' | 'carried' | 'delivered' | 'read' | 'expired' | 'refused'

/** One thing that became of a message; told to `from`. */
export type Receipt = {
  readonly id: MessageId
  readonly from: UserId
  readonly to: UserId
  readonly status: ReceiptStatus
  readonly at: Stamp
  /** With `delivered`: this device has it. Without: all of them have. */
  readonly device?: DeviceId
  readonly reason?: string
}

/** What a device gets out of a box. */
export type Content =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }

/** The JSON of a receipt's payload, as the contract has it. */
export function receiptPayload(receipt: Receipt): string {
  return JSON.stringify({
    status: receipt.status,
    at: new Date(receipt.at.atMs).toISOString(),
    clock: receipt.at.clock,
    device: receipt.device,
    reason: receipt.reason,
  })
}
