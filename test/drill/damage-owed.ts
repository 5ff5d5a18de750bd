/**
 * What a store owes to whom, as its clients know it: mail to devices and receipts to the one
 * sender who asks for them. A damaged copy of the store is held against it.
 */
import { DEVICES, type DeviceRole, deviceKey, type SenderRole } from './cast.ts'
import type { Ledger, ReceiptSeen, Sent } from './ledger.ts'

/** The sender who takes receipts; nobody else asks for any. */
export const TAKER: SenderRole = { name: 'ada', version: 5, clean: true, qos: 1, window: 32 }

/** Messages by `messageKey`, for each device by `deviceKey`. */
type MailOf = ReadonlyMap<string, ReadonlySet<string>>

export type Owed = {
  /** What a device must still get. */
  readonly mail: MailOf
  /** What a device has acknowledged and must not get again. */
  readonly acknowledged: MailOf
  /** Every message of the receipt taker, by its `seq`. */
  readonly sent: readonly Sent[]
  /** What the receipt taker has acknowledged, by `receiptKey`. */
  readonly receiptsTaken: ReadonlySet<string>
}

export function messageKey(message: { readonly from: string; readonly seq: number }): string {
  return `${message.from} ${message.seq}`
}

/** The id of a role's device at the relay: its MQTT client id, see device.ts. */
export function deviceIdOf({ user, clientId }: DeviceRole): string {
  return `${user}-${clientId}`
}

/** Which receipt it is, whenever and however often it comes. */
export function receiptKey({ to, seq, status, text }: Omit<ReceiptSeen, 'at'>): string {
  const { device } = JSON.parse(text) as { device?: string }
  return keyOf(to, seq, status, device)
}

function keyOf(to: string, seq: number, status: string, device = 'all'): string {
  return `${status} ${device} ${to} ${seq}`
}

/** What is still owed after everything in `ledger`, of which nothing was refused. */
export function owedAfter(ledger: Ledger): Owed {
  const acknowledged = new Map<string, ReadonlySet<string>>()
  const mail = new Map<string, ReadonlySet<string>>()
  for (const role of DEVICES) {
    const key = deviceKey(role)
    const taken = new Set(ledger.arrivals.get(key)?.map(messageKey))
    acknowledged.set(key, taken)
    mail.set(key, without(new Set(sentTo(ledger, role.user)), taken))
  }
  const receipts = ledger.receipts.get(TAKER.name) ?? []
  return {
    mail,
    acknowledged,
    sent: [...(ledger.sent.get(TAKER.name) ?? [])],
    receiptsTaken: new Set(receipts.map(receiptKey)),
  }
}

/** What is in `all` and not in `some`. */
export function without(all: ReadonlySet<string>, some: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((item) => !some.has(item)))
}

function* sentTo(ledger: Ledger, user: string): Generator<string> {
  for (const [from, list] of ledger.sent) {
    for (const [seq, { to }] of list.entries()) if (to === user) yield messageKey({ from, seq })
  }
}

/**
 * Every receipt of these messages, taken or not: `stored`, `delivered` for each device that has
 * one, and `delivered` for all.
 */
export function receiptsOf(
  sent: readonly Sent[],
  has: (device: string, message: string) => boolean,
): Set<string> {
  const receipts = new Set<string>()
  for (const [seq, { to }] of sent.entries()) {
    receipts.add(keyOf(to, seq, 'stored'))
    const roles = DEVICES.filter(({ user }) => user === to)
    const message = messageKey({ from: TAKER.name, seq })
    const having = roles.filter((role) => has(deviceKey(role), message))
    for (const role of having) receipts.add(keyOf(to, seq, 'delivered', deviceIdOf(role)))
    if (having.length === roles.length) receipts.add(keyOf(to, seq, 'delivered'))
  }
  return receipts
}
