/**
 * The judgement of a drill: pure, from the ledger alone. What is checked follows the invariants:
 * nothing acknowledged is lost, order for each sender, once a connection, receipts once and
 * never before the fact.
 */
import type { Arrival, Ledger, ReceiptSeen, Sent } from './ledger.ts'

/** The devices that owe an acknowledgement for a user's mail, by user. */
export type DevicesOf = ReadonlyMap<string, readonly string[]>

export type Counts = {
  sent: number
  acknowledged: number
  refused: number
  arrivals: number
  /** Acknowledged, but missing at a device; counted for each device. */
  lost: number
  /** First arrivals after one that the same sender sent later. */
  outOfOrder: number
  /** The same message twice in one connection, or at all where it came at QoS 2. */
  doubled: number
  /** The same message in a later connection: allowed where its acknowledgement was cut off. */
  redelivered: number
  /** Bytes or topic that are not what was sent. */
  damaged: number
  /** Acknowledged messages without the receipt that all devices have them. */
  receiptsMissing: number
  /** A second, different one of those; or the same twice in one connection. */
  receiptsTwice: number
  /** One that came before all devices had the message. */
  receiptsEarly: number
  /** Any receipt that says `refused` or `expired`. */
  receiptsBad: number
}

export type CheckOptions = {
  /** Whether the broker sends receipts at all. */
  readonly hasReceipts: boolean
}

export type Verdict = {
  readonly counts: Counts
  /** The first violations in words, to begin a search with. */
  readonly examples: readonly string[]
}

const EXAMPLES_MAX = 20

/** Counts, and puts the first violations into words. */
class Tally {
  readonly counts = noCounts()
  readonly examples: string[] = []

  violation(kind: keyof Counts, what: string): void {
    this.counts[kind]++
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(`${kind}: ${what}`)
  }
}

/** Judges a whole drill. */
export function check(ledger: Ledger, devicesOf: DevicesOf, options: CheckOptions): Verdict {
  const tally = new Tally()
  const firsts = new Map<string, ReadonlyMap<string, number>>()
  for (const [device, arrivals] of ledger.arrivals) {
    firsts.set(device, checkDevice(device, arrivals, tally))
  }
  for (const [sender, list] of ledger.sent) {
    for (const [seq, sent] of list.entries()) {
      countSent(sent, tally.counts)
      if (!isOwed(sent)) continue
      for (const device of devicesOf.get(sent.to) ?? []) {
        if (firsts.get(device)?.has(`${sender} ${seq}`) !== true) {
          tally.violation('lost', `message ${seq} of ${sender} at ${device}`)
        }
      }
    }
    if (options.hasReceipts) {
      checkReceipts({ sender, list, receipts: ledger.receipts.get(sender) ?? [] }, tally, (to) =>
        (devicesOf.get(to) ?? []).map((device) => firsts.get(device)),
      )
    }
  }
  return tally
}

/** What must not be; redeliveries are allowed and refusals are told. */
export function violations(counts: Counts): number {
  return (
    counts.lost +
    counts.refused +
    counts.outOfOrder +
    counts.doubled +
    counts.damaged +
    counts.receiptsMissing +
    counts.receiptsTwice +
    counts.receiptsEarly +
    counts.receiptsBad
  )
}

export function noCounts(): Counts {
  return {
    sent: 0,
    acknowledged: 0,
    refused: 0,
    arrivals: 0,
    lost: 0,
    outOfOrder: 0,
    doubled: 0,
    redelivered: 0,
    damaged: 0,
    receiptsMissing: 0,
    receiptsTwice: 0,
    receiptsEarly: 0,
    receiptsBad: 0,
  }
}

function isOwed(sent: Sent): boolean {
  return sent.acknowledgedAt > 0 && sent.refusal === 0
}

function countSent(sent: Sent, counts: Counts): void {
  counts.sent++
  if (isOwed(sent)) counts.acknowledged++
  else if (sent.refusal > 0) counts.refused++
}

/** Counts one device's arrivals and gives when each message came first. */
function checkDevice(
  device: string,
  arrivals: readonly Arrival[],
  tally: Tally,
): Map<string, number> {
  const { counts } = tally
  const first = new Map<string, number>()
  const lastConnection = new Map<string, number>()
  const highest = new Map<string, number>()
  for (const arrival of arrivals) {
    const key = `${arrival.from} ${arrival.seq}`
    const what = `message ${arrival.seq} of ${arrival.from} at ${device}, connection ${arrival.connection}`
    counts.arrivals++
    if (!arrival.isIntact) tally.violation('damaged', what)
    if (first.has(key)) {
      const isDoubled = arrival.isOnce || lastConnection.get(key) === arrival.connection
      if (isDoubled) tally.violation('doubled', what)
      else counts.redelivered++
    } else {
      first.set(key, arrival.at)
      if (arrival.seq < (highest.get(arrival.from) ?? -1)) tally.violation('outOfOrder', what)
      else highest.set(arrival.from, arrival.seq)
    }
    lastConnection.set(key, arrival.connection)
  }
  return first
}

type OneSender = {
  readonly sender: string
  readonly list: readonly Sent[]
  readonly receipts: readonly ReceiptSeen[]
}

function checkReceipts(
  one: OneSender,
  tally: Tally,
  firstsOf: (to: string) => readonly (ReadonlyMap<string, number> | undefined)[],
): void {
  const told = new Map<number, ReceiptSeen>()
  for (const receipt of one.receipts) {
    const what = `message ${receipt.seq} of ${one.sender} to ${receipt.to}, ${receipt.text}`
    if (receipt.status === 'refused' || receipt.status === 'expired') {
      tally.violation('receiptsBad', what)
    }
    if (receipt.status !== 'delivered' || !receipt.isAggregate) continue
    const before = told.get(receipt.seq)
    if (before === undefined) {
      const isEarly = firstsOf(receipt.to).some((first) => {
        const at = first?.get(`${one.sender} ${receipt.seq}`)
        return at === undefined || at > receipt.at
      })
      if (isEarly) tally.violation('receiptsEarly', what)
    } else if (before.text !== receipt.text || before.connection === receipt.connection) {
      tally.violation('receiptsTwice', `${what} after ${before.text}`)
    }
    told.set(receipt.seq, receipt)
  }
  for (const [seq, sent] of one.list.entries()) {
    if (isOwed(sent) && !told.has(seq)) {
      tally.violation('receiptsMissing', `message ${seq} of ${one.sender} to ${sent.to}`)
    }
  }
}
