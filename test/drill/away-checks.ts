/** What an away drill promises beyond checks.ts: every kind of receipt, once, and nothing again. */
import { DEVICE_IDS, keyOf, SENDER } from './away-cast.ts'
import type { Ledger, ReceiptSeen } from './ledger.ts'

export type AwayCounts = {
  /** Messages without the receipt `stored`. */
  storedMissing: number
  /** Messages without the receipt `delivered` of one device; counted for each device. */
  deviceReceiptsMissing: number
  /** Receipts of any kind that came twice in one connection, or with other words. */
  receiptsDoubled: number
  /** The same receipt in a later connection: allowed where its acknowledgement was cut off. */
  receiptsRedelivered: number
  /** Arrivals of what the sender had been told that this very device has. */
  arrivedAfterReceipt: number
}

/** Counts what the ledger of an away drill shows. */
export function checkAway(ledger: Ledger): AwayCounts {
  const seen = ledger.receipts.get(SENDER) ?? []
  const first = new Map<string, ReceiptSeen>()
  const last = new Map<string, ReceiptSeen>()
  let receiptsDoubled = 0
  let receiptsRedelivered = 0
  for (const receipt of seen) {
    const name = nameOf(receipt.seq, receipt.status, deviceOf(receipt))
    const before = last.get(name)
    last.set(name, receipt)
    if (before === undefined) first.set(name, receipt)
    else if (before.text !== receipt.text || before.connection === receipt.connection) {
      receiptsDoubled++
    } else receiptsRedelivered++
  }
  const messages = [...(ledger.sent.get(SENDER) ?? []).keys()]
  const missing = (status: string, device?: string): number =>
    messages.filter((seq) => !first.has(nameOf(seq, status, device))).length
  return {
    storedMissing: missing('stored'),
    deviceReceiptsMissing: sum(DEVICE_IDS.map((device) => missing('delivered', device))),
    receiptsDoubled,
    receiptsRedelivered,
    arrivedAfterReceipt: sum(
      DEVICE_IDS.map((device) => arrivedAfterReceipt(ledger, device, first)),
    ),
  }
}

/** What must not be; a receipt may come again. */
export function awayViolations(counts: AwayCounts): number {
  return (
    counts.storedMissing +
    counts.deviceReceiptsMissing +
    counts.receiptsDoubled +
    counts.arrivedAfterReceipt
  )
}

/** A receipt tells what is on disk, so from then on no kill brings the message back. */
function arrivedAfterReceipt(
  ledger: Ledger,
  device: string,
  first: ReadonlyMap<string, ReceiptSeen>,
): number {
  const arrivals = ledger.arrivals.get(keyOf(device)) ?? []
  return arrivals.filter(({ seq, at }) => {
    const receipt = first.get(nameOf(seq, 'delivered', device))
    return receipt !== undefined && receipt.at < at
  }).length
}

function nameOf(seq: number, status: string, device = ''): string {
  return `${seq} ${status} ${device}`
}

/** The device that a receipt speaks of; the ledger keeps only such as could be read. */
function deviceOf({ text }: ReceiptSeen): string | undefined {
  return (JSON.parse(text) as { device?: string }).device
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
