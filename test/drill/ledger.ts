/**
 * What the clients of a drill sent and saw, in the order in which they saw it: the only evidence
 * that checks.ts judges by. The clients live in one process, so one counter orders everything.
 */

/** A message as its sender knows it. `seq` is its index in the sender's list. */
export type Sent = {
  readonly to: string
  /** When the acknowledgement came; 0 while there is none. */
  acknowledgedAt: number
  /** Reason code of a refusal; 0 for none. */
  refusal: number
}

export type Arrival = {
  readonly at: number
  readonly from: string
  readonly seq: number
  /** Which connection of the device, counted from 1. */
  readonly connection: number
  /** Whether topic and payload were what the sender sent. */
  readonly isIntact: boolean
  /** QoS 2 all the way: must not come again, whatever happens between. */
  readonly isOnce: boolean
}

export type ReceiptSeen = {
  readonly at: number
  readonly to: string
  readonly seq: number
  readonly status: string
  /** Of the whole message rather than of one device. */
  readonly isAggregate: boolean
  readonly connection: number
  /** The payload as it came: two different texts are two receipts, equal ones a redelivery. */
  readonly text: string
}

export class Ledger {
  readonly sent = new Map<string, Sent[]>()
  readonly arrivals = new Map<string, Arrival[]>()
  readonly receipts = new Map<string, ReceiptSeen[]>()
  /** What no correct broker does, in words; for a person. */
  readonly oddities: string[] = []
  readonly #sentTo = new Map<string, number>()
  #now = 0
  #acknowledged = 0
  readonly #deliveredReceipts = new Set<string>()
  readonly #seen = new Map<string, Set<string>>()
  readonly #watchers = new Set<() => void>()

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Starts the list of a sender or device, so that one without any event is there too. */
  open(senders: readonly string[], devices: readonly string[]): void {
    for (const name of senders) {
      this.sent.set(name, [])
      this.receipts.set(name, [])
    }
    for (const key of devices) {
      this.arrivals.set(key, [])
      this.#seen.set(key, new Set())
    }
  }

  /** Notes a new message and gives its `seq`. */
  send(from: string, to: string): number {
    this.#sentTo.set(to, (this.#sentTo.get(to) ?? 0) + 1)
    return listOf(this.sent, from).push({ to, acknowledgedAt: 0, refusal: 0 }) - 1
  }

  acknowledge(from: string, seq: number, reason: number): void {
    const sent = listOf(this.sent, from)[seq]
    if (sent === undefined) throw new Error(`${from} has sent no message ${seq}`)
    sent.acknowledgedAt = ++this.#now
    if (reason >= 0x80) {
      sent.refusal = reason
      this.#sentTo.set(sent.to, (this.#sentTo.get(sent.to) ?? 0) - 1)
    } else this.#acknowledged++
    this.#changed()
  }

  arrive(device: string, arrival: Omit<Arrival, 'at'>): void {
    listOf(this.arrivals, device).push({ ...arrival, at: ++this.#now })
    this.#seen.get(device)?.add(`${arrival.from} ${arrival.seq}`)
    this.#changed()
  }

  receipt(sender: string, receipt: Omit<ReceiptSeen, 'at'>): void {
    listOf(this.receipts, sender).push({ ...receipt, at: ++this.#now })
    if (receipt.isAggregate && receipt.status === 'delivered') {
      this.#deliveredReceipts.add(`${sender} ${receipt.seq}`)
    }
    this.#changed()
  }

  /** Keeps the first ones only: what goes wrong once may go wrong a million times. */
  odd(what: string): void {
    if (this.oddities.length < ODDITIES_MAX) this.oddities.push(what)
  }

  /** Different messages that a device has seen. */
  seenBy(device: string): number {
    return this.#seen.get(device)?.size ?? 0
  }

  /** Messages to each user that were not refused. */
  sentByRecipient(): ReadonlyMap<string, number> {
    return this.#sentTo
  }

  /** Messages for which the sender was told once that all devices have them. */
  get toldDelivered(): number {
    return this.#deliveredReceipts.size
  }

  /**
   * Resolves with true as soon as `isDone`, looked at after each event, and with false when
   * nothing at all happens for `stallMsMax`.
   */
  until(isDone: () => boolean, stallMsMax: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(result)
      }
      const timer = setTimeout(() => end(false), stallMsMax)
      const look = (): void => {
        if (isDone()) end(true)
        else timer.refresh()
      }
      this.#watchers.add(look)
    })
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }
}

const ODDITIES_MAX = 20

function listOf<T>(map: ReadonlyMap<string, T[]>, key: string): T[] {
  const list = map.get(key)
  if (list === undefined) throw new Error(`the ledger was not opened for ${key}`)
  return list
}
