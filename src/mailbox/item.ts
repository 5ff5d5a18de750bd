/**
 * What a box knows of one message or receipt, and its bytes, as JSON (the engine's own codec is
 * the fastest):
 *
 *     box/{inbox|receipts}/{user}/{seq}
 *         [bytes, deadlineMs, from, id, [[device number, atMs, clock], …], [device number, …],
 *          [to, status, atMs, clock, device, reason]?]
 *
 * Everything that delivery has to know without reading the entry itself, so that quotas, expiry
 * and the search for what a device still lacks never touch a payload.
 */
import type { ClockQuality } from '../clock.ts'
import type { Receipt, ReceiptStatus, Stamp } from '../message/message.ts'
import type { DeviceId, MessageId, UserId } from '../message/names.ts'

/** A device has acknowledged the entry. Devices are named by their number within the user. */
export type Ack = { readonly device: number; readonly at: Stamp }

export type Item = {
  /** Bytes of the payload. */
  readonly bytes: number
  /** Age of the store (Journal.ageMs) at which the entry expires. */
  readonly deadlineMs: number
  readonly from: UserId
  readonly id: MessageId
  readonly acks: Ack[]
  /** Devices that have taken over a QoS 2 delivery (PUBREC) but not finished it (PUBCOMP). */
  readonly received: number[]
  /** In the box of a sender: what became of the message. */
  readonly receipt?: Receipt
}

/** A receipt is short, and nobody but its box needs it; so it lies in the item itself. */
type ReceiptFields = [
  to: UserId,
  status: ReceiptStatus,
  atMs: number,
  clock: ClockQuality,
  device: DeviceId | null,
  reason: string | null,
]

type Fields = [
  bytes: number,
  deadlineMs: number,
  from: UserId,
  id: MessageId,
  acks: [device: number, atMs: number, clock: ClockQuality][],
  received: number[],
  receipt?: ReceiptFields,
]

export function encodeItem(item: Item): Uint8Array {
  const acks = item.acks.map((ack): Fields[4][number] => [ack.device, ack.at.atMs, ack.at.clock])
  const fields: Fields = [item.bytes, item.deadlineMs, item.from, item.id, acks, item.received]
  if (item.receipt !== undefined) {
    const { to, status, at, device, reason } = item.receipt
    fields.push([to, status, at.atMs, at.clock, device ?? null, reason ?? null])
  }
  return Buffer.from(JSON.stringify(fields))
}

/** Decodes what `encodeItem` wrote; the store has checked the bytes. */
export function decodeItem(value: Uint8Array): Item {
  const fields = JSON.parse(Buffer.from(value).toString()) as Fields
  const [bytes, deadlineMs, from, id, acks, received, receipt] = fields
  return {
    bytes,
    deadlineMs,
    from,
    id,
    acks: acks.map(([device, atMs, clock]) => ({ device, at: { atMs, clock } })),
    received,
    ...(receipt === undefined ? {} : { receipt: receiptOf(from, id, receipt) }),
  }
}

function receiptOf(from: UserId, id: MessageId, fields: ReceiptFields): Receipt {
  const [to, status, atMs, clock, device, reason] = fields
  return {
    id,
    from,
    to,
    status,
    at: { atMs, clock },
    ...(device === null ? {} : { device }),
    ...(reason === null ? {} : { reason }),
  }
}

/** Whether the device with this number has acknowledged. */
export function hasAcked(item: Item, device: number): boolean {
  return item.acks.some((ack) => ack.device === device)
}
