/**
 * Brings one box to one device: first what waits on disk, then what arrives, in the order
 * accepted. A delivery to a device that is here is a drain of length one, and goes the same way.
 *
 * `position` is the last sequence number that was looked at. What lies between it and the newest
 * committed entry is read from disk, a bounded read ahead; what is newer is still in memory.
 */
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { hasAcked, type Item } from '../mailbox/item.ts'
import type { Mail, Mailbox, MailListener } from '../mailbox/mailbox.ts'
import type { Entry } from '../message/entry.ts'
import type { Content } from '../message/message.ts'

/** What a drain needs of its session: one window for all drains of the device. */
export interface DrainOutlet {
  /** Number of the device within its user. */
  readonly deviceNumber: number
  /** Whether the window and the socket have room. */
  readonly canSend: boolean
  /** `sent`: on its way. `wait`: not now, ask again later. `skip`: not for this device. */
  send(drain: Drain, mail: Mail): 'sent' | 'wait' | 'skip'
  /** A copy for a QoS 0 subscription; nothing is awaited. */
  copy(content: Content, deadlineMs?: number): void
  /** Sends something that nobody keeps, where a subscription matches. */
  tell(content: Content): void
  /** The box has an item whose entry is gone: the store was damaged. */
  lost(mailbox: Mailbox, seq: number, item: Item): void
}

/** What a drain needs to read the backlog. */
export interface EntryReader {
  read(seqs: readonly number[]): Promise<(Entry | undefined)[]>
}

type Found = { readonly seq: number; readonly item: Item }

export class Drain implements MailListener {
  readonly mailbox: Mailbox
  readonly #outlet: DrainOutlet
  readonly #journal: EntryReader
  readonly #clock: Clock
  readonly #log: Log
  readonly #inFlight = new Map<number, Item>()
  #ready: Mail[] = []
  #position: number
  #isReading = false
  #isCaughtUp = false
  #isOpen = true
  /** The first number that this device was not sent although it waits; the cursor stays below. */
  #skipped = Number.POSITIVE_INFINITY

  constructor(parts: {
    mailbox: Mailbox
    outlet: DrainOutlet
    journal: EntryReader
    clock: Clock
    log: Log
    cursor: number
  }) {
    this.mailbox = parts.mailbox
    this.#outlet = parts.outlet
    this.#journal = parts.journal
    this.#clock = parts.clock
    this.#log = parts.log
    this.#position = parts.cursor
  }

  start(): void {
    this.mailbox.listeners.add(this)
    this.pump()
  }

  /** Looks again at what was passed over: the subscriptions have changed. */
  restart(): void {
    if (this.#skipped === Number.POSITIVE_INFINITY) return
    this.#position = this.#skipped - 1
    this.#skipped = Number.POSITIVE_INFINITY
    this.#ready = []
    this.#isCaughtUp = false
    this.pump()
  }

  /** Stops and gives back what was on its way; it stays in the box. */
  stop(): void {
    this.#isOpen = false
    this.mailbox.listeners.delete(this)
    for (const seq of this.#inFlight.keys()) this.mailbox.release(seq)
    this.#inFlight.clear()
    this.#ready = []
  }

  /** The item that is on its way under this number. */
  inFlight(seq: number): Item | undefined {
    return this.#inFlight.get(seq)
  }

  /** The device is done with an entry. */
  finished(seq: number): void {
    if (this.#inFlight.delete(seq)) this.mailbox.release(seq)
  }

  /** Every number up to this one was acknowledged by the device, or is not in the box. */
  get cursor(): number {
    let lowest = Math.min(this.#skipped, this.#position + 1)
    for (const seq of this.#inFlight.keys()) lowest = Math.min(lowest, seq)
    return lowest - 1
  }

  copied(content: Content): void {
    this.#outlet.copy(content)
  }

  arrived(mail: Mail): void {
    this.#outlet.copy(mail.content, mail.item.deadlineMs)
    if (this.#isCaughtUp && this.#take(mail)) return
    this.#isCaughtUp = false
  }

  told(content: Content): void {
    this.#outlet.tell(content)
  }

  committed(): void {
    if (!this.#isCaughtUp) this.pump()
  }

  isSending(seq: number): boolean {
    return this.#inFlight.has(seq)
  }

  left(seq: number): void {
    this.finished(seq)
    this.#ready = this.#ready.filter((mail) => mail.seq !== seq)
  }

  /** Sends as long as there is room and something to send. */
  pump(): void {
    while (this.#isOpen && !this.#isReading && this.#outlet.canSend) {
      const next = this.#ready[0]
      if (next !== undefined) {
        if (!this.#take(next)) return
        if (this.#ready[0] === next) this.#ready.shift()
      } else if (this.mailbox.lastCommitted > this.#position) {
        this.#readAhead()
      } else {
        this.#takeFresh()
        return
      }
    }
  }

  #takeFresh(): void {
    for (const mail of this.mailbox.freshAfter(this.#position)) {
      if (!this.#take(mail)) {
        this.#isCaughtUp = false
        return
      }
    }
    this.#isCaughtUp = true
  }

  /** Looks at the next entry; false when it has to wait. */
  #take(mail: Mail): boolean {
    if (!this.#outlet.canSend) return false
    if (!this.#inFlight.has(mail.seq) && this.#send(mail) === 'wait') return false
    this.#position = mail.seq
    return true
  }

  #send(mail: Mail): 'sent' | 'wait' | 'skip' | 'done' {
    // Since it was read, another device may have acknowledged it, or it may have left.
    const item = this.mailbox.lease(mail.seq)
    if (item === undefined) return 'done'
    const isDone = hasAcked(item, this.#outlet.deviceNumber)
    const outcome = isDone ? 'done' : this.#outlet.send(this, { ...mail, item })
    if (outcome === 'sent') this.#inFlight.set(mail.seq, item)
    else this.mailbox.release(mail.seq)
    if (outcome === 'skip') this.#skipped = Math.min(this.#skipped, mail.seq)
    return outcome
  }

  #readAhead(): void {
    this.#isReading = true
    const newest = this.mailbox.lastCommitted
    this.#load(newest).then(
      () => this.#resume(),
      (error: unknown) => this.#failed(error),
    )
  }

  #resume(): void {
    this.#isReading = false
    this.pump()
  }

  async #load(newest: number): Promise<void> {
    const from = this.#position
    const found = await this.mailbox.scan(from, LIMITS.drainReadMax)
    const wanted = withinBytes(found, LIMITS.drainReadBytesMax)
    const contents = await this.#contentsOf(wanted)
    // Subscriptions have changed meanwhile: what was passed over comes first.
    if (this.#position !== from) return
    for (const [at, { seq, item }] of wanted.entries()) {
      const content = contents[at]
      if (content !== undefined) this.#ready.push({ seq, item, content })
      else if (this.mailbox.has(seq)) this.#outlet.lost(this.mailbox, seq, item)
    }
    const isAll = found.length < LIMITS.drainReadMax && wanted.length === found.length
    // What was committed before the look and is not in it has left the box.
    if (isAll && this.#ready.length === 0) this.#position = Math.max(this.#position, newest)
  }

  /** Receipts lie in the box itself; messages in the journal. */
  async #contentsOf(found: readonly Found[]): Promise<(Content | undefined)[]> {
    if (this.mailbox.box === 'receipts') {
      return found.map(({ item: { receipt } }) => receipt && { kind: 'receipt', receipt })
    }
    const entries = await this.#journal.read(found.map(({ seq }) => seq))
    return entries.map((entry) => (entry?.kind === 'message' ? entry : undefined))
  }

  #failed(error: unknown): void {
    const { box, user } = this.mailbox
    this.#log.error({ box, user, error }, 'a mailbox could not be read; trying again')
    this.#clock.after(LIMITS.drainRetryMs, () => this.#resume())
  }
}

/** The longest beginning of `found` whose payloads fit into `bytesMax`, but at least one. */
function withinBytes(found: readonly Found[], bytesMax: number): Found[] {
  let sum = 0
  return found.filter(({ item }, at) => {
    sum += item.bytes
    return at === 0 || sum <= bytesMax
  })
}
