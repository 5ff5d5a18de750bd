/**
 * What a box knows of one entry, and its bytes, as JSON (the engine's own codec is the fastest):
 *
 *     box/{inbox|receipts}/{user}/{seq}
 *         [bytes, deadlineMs, from, id, [[device number, atMs, clock], …], [device number, …]]
 *
 * Everything that delivery has to know without reading the entry itself, so that quotas, expiry
 * and the search for what a device still lacks never touch a payload.
 */
import type { ClockQuality } from '../clock.ts'
import type { Stamp } from '../message/message.ts'
import type { MessageId, UserId } from '../message/names.ts'

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
}

export function encodeItem(item: Item): Uint8Array {
  const acks = item.acks.map((ack) => [ack.device, ack.at.atMs, ack.at.clock])
  const fields = [item.bytes, item.deadlineMs, item.from, item.id, acks, item.received]
  return Buffer.from(JSON.stringify(fields))
}

/** Decodes what `encodeItem` wrote; the store has checked the bytes. */
export function decodeItem(value: Uint8Array): Item {
  const [bytes, deadlineMs, from, id, acks, received] = JSON.parse(
    Buffer.from(value).toString(),
  ) as [number, number, UserId, MessageId, [number, number, ClockQuality][], number[]]
  return {
    bytes,
    deadlineMs,
    from,
    id,
    acks: acks.map(([device, atMs, clock]) => ({ device, at: { atMs, clock } })),
    received,
  }
}

/** Whether the device with this number has acknowledged. */
export function hasAcked(item: Item, device: number): boolean {
  return item.acks.some((ack) => ack.device === device)
}
