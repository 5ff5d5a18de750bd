/**
 * One box of one user: the durable queue of entries that not all of its devices have. Only sums
 * are in memory, the entries that are not committed yet, and the items that are on their way to
 * a device just now; the backlog stays on disk.
 */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Content } from '../message/message.ts'
import type { UserId } from '../message/names.ts'
import { lastNumber, part, sortable, under } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { decodeItem, encodeItem, type Item } from './item.ts'

/** Mail is in the inbox; what became of own messages in the receipts. */
export type BoxName = 'inbox' | 'receipts'

/** A message or receipt in a box together with what the box knows of it. */
export type Mail = { readonly seq: number; readonly item: Item; readonly content: Content }

/** Who is told at once of entries that arrive: the drains of connected devices. */
export interface MailListener {
  arrived(mail: Mail): void
  /** What had arrived is on disk. */
  committed(): void
  /** Something that nobody keeps: take it now or not at all. */
  told(content: Content): void
  /** The same for subscriptions with QoS 0 alone. */
  copied(content: Content): void
  /** Whether the entry is on its way to this device. */
  isSending(seq: number): boolean
  /** An entry left otherwise than by this device's own acknowledgement. */
  left(seq: number): void
}

type Lease = { readonly item: Item; leases: number }

export class Mailbox {
  readonly box: BoxName
  readonly user: UserId
  readonly listeners = new Set<MailListener>()
  readonly #store: Store
  readonly #prefix: string
  readonly #fresh = new Map<number, Mail>()
  readonly #leased = new Map<number, Lease>()
  /** The highest number sent to each device, so that a second sending is marked as one. */
  readonly #sentUpTo = new Map<number, number>()
  #messages = 0
  #bytes = 0
  #lastCommitted = 0
  /** The highest number that was here at the start. */
  #restoredUpTo = 0
  #earliestDeadlineMs = Number.POSITIVE_INFINITY

  constructor(parts: { store: Store }, options: { box: BoxName; user: UserId }) {
    this.#store = parts.store
    this.box = options.box
    this.user = options.user
    this.#prefix = `box/${options.box}/${options.user}/`
  }

  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The highest sequence number that was committed to this box; it may have left since. */
  get lastCommitted(): number {
    return this.#lastCommitted
  }

  /** No item expires before this age; after it, some may have. */
  get earliestDeadlineMs(): number {
    return this.#earliestDeadlineMs
  }

  /** Whether forgetting this object loses nothing. */
  get isIdle(): boolean {
    return this.#messages === 0 && this.listeners.size === 0
  }

  /** Counts an item that is on disk; called while the store is read at start. */
  restore(seq: number, item: Item): void {
    this.#count(item)
    this.#lastCommitted = Math.max(this.#lastCommitted, seq)
    this.#restoredUpTo = this.#lastCommitted
  }

  #count(item: Item): void {
    this.#messages += 1
    this.#bytes += item.bytes
    this.#earliestDeadlineMs = Math.min(this.#earliestDeadlineMs, item.deadlineMs)
  }

  /** The write that puts an item into this box; the caller commits it with its entry. */
  write(seq: number, item: Item): Write {
    return { key: this.#key(seq), value: encodeItem(item) }
  }

  /** Counts new mail and hands it to the devices that are here; it is not committed yet. */
  add(mail: Mail): void {
    this.#count(mail.item)
    this.#fresh.set(mail.seq, mail)
    for (const listener of this.listeners) listener.arrived(mail)
  }

  /** Says that everything up to `seq` which was added is on disk. */
  committed(seq: number): void {
    this.#fresh.delete(seq)
    this.#lastCommitted = Math.max(this.#lastCommitted, seq)
    for (const listener of this.listeners) listener.committed()
  }

  /** Mail after `seq` that is not committed yet, oldest first. */
  *freshAfter(seq: number): Generator<Mail> {
    for (const mail of this.#fresh.values()) if (mail.seq > seq) yield mail
  }

  /** Whether this mail has been added but not committed. */
  isFresh(seq: number): boolean {
    return this.#fresh.has(seq)
  }

  /** Whether the entry is in this box. */
  has(seq: number): boolean {
    return this.#store.has(this.#key(seq))
  }

  /** Committed items after `seq`, oldest first, at most `limit`. */
  async scan(seq: number, limit: number): Promise<{ seq: number; item: Item }[]> {
    const range = { gte: this.#key(seq + 1), lt: under(this.#prefix).lt, limit }
    const pairs = await this.#store.scan(range)
    return pairs.map(([key, value]) => ({ seq: lastNumber(key), item: decodeItem(value) }))
  }

  /** Every item, a page at a time. One that is committed meanwhile may come twice. */
  async *items(): AsyncGenerator<{ seq: number; item: Item }> {
    for (const { seq, item } of [...this.#fresh.values()]) yield { seq, item }
    for (let after = 0; ; ) {
      const page = await this.scan(after, LIMITS.drainReadMax)
      for (const { seq, item } of page) yield { seq, item: this.current(seq, item) }
      const last = page.at(-1)
      if (last === undefined || page.length < LIMITS.drainReadMax) return
      after = last.seq
    }
  }

  /**
   * The item as it is now; `undefined` where it has left the box, or is damaged and reported.
   * Several devices get the same item at once; all of them must see one another's
   * acknowledgements. A lease gives each the same object, until the last one releases it.
   */
  lease(seq: number): Item | undefined {
    const known = this.#leased.get(seq)
    if (known !== undefined) {
      known.leases += 1
      return known.item
    }
    const item = this.#fresh.get(seq)?.item ?? this.#stored(seq)
    if (item !== undefined) this.#leased.set(seq, { item, leases: 1 })
    return item
  }

  #stored(seq: number): Item | undefined {
    try {
      const value = this.#store.get(this.#key(seq))
      return value === undefined ? undefined : decodeItem(value)
    } catch (error) {
      if (error instanceof RelayError && error.code === 'STORE_DAMAGED') return undefined
      throw error
    }
  }

  /** The item as the devices that have it now see it. */
  current(seq: number, item: Item): Item {
    return this.#leased.get(seq)?.item ?? item
  }

  release(seq: number): void {
    const lease = this.#leased.get(seq)
    if (lease === undefined) return
    lease.leases -= 1
    if (lease.leases === 0) this.#leased.delete(seq)
  }

  /**
   * Notes that an entry goes out to a device; true when it went out before, or may have: of an
   * earlier run nobody knows [MQTT-3.3.1-1].
   */
  markSent(device: number, seq: number): boolean {
    const highest = this.#sentUpTo.get(device) ?? this.#restoredUpTo
    if (seq <= highest) return true
    this.#sentUpTo.set(device, seq)
    return false
  }

  /** Writes an item whose acknowledgements have changed. */
  update(seq: number, item: Item): void {
    this.#store.replace(this.#key(seq), encodeItem(item))
  }

  /** Takes an item out of the sums; `isWritten` says whether it has to leave the store, too. */
  remove(seq: number, item: Item, isWritten: boolean): void {
    this.#messages -= 1
    this.#bytes -= item.bytes
    this.#fresh.delete(seq)
    if (isWritten) this.#store.remove(this.#key(seq))
    if (this.#messages === 0) this.#earliestDeadlineMs = Number.POSITIVE_INFINITY
    for (const listener of this.listeners) listener.left(seq)
  }

  /** Takes the item of an entry out of the store that never counted. */
  discard(seq: number): void {
    this.#store.remove(this.#key(seq))
  }

  /** Shows something to the devices that are here, and to nobody else. */
  tell(content: Content): void {
    for (const listener of this.listeners) listener.told(content)
  }

  /** Shows something to subscriptions with QoS 0 alone. */
  copy(content: Content): void {
    for (const listener of this.listeners) listener.copied(content)
  }

  /** Sets what a whole look through the box has found. */
  setEarliestDeadline(ageMs: number): void {
    this.#earliestDeadlineMs = ageMs
  }

  /** Everything up to this number has been acknowledged by the device; a place to start from. */
  cursor(device: string): number {
    const stored = this.#store.get(this.#cursorKey(device))
    return stored === undefined ? 0 : Number.parseInt(Buffer.from(stored).toString(), 36)
  }

  setCursor(device: string, seq: number): void {
    this.#store.put(this.#cursorKey(device), Buffer.from(sortable(seq)))
  }

  removeCursor(device: string): void {
    const key = this.#cursorKey(device)
    if (this.#store.get(key) !== undefined) this.#store.remove(key)
  }

  #key(seq: number): string {
    return `${this.#prefix}${sortable(seq)}`
  }

  #cursorKey(device: string): string {
    return `cursor/${this.box}/${this.user}/${part(device)}`
  }
}
