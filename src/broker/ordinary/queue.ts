/**
 * What waits for one session or is on its way to it, by number. Of a session that is kept it lies
 * in the store, and memory knows the numbers alone, eight bytes each; of any other it is held here
 * until it is sent.
 */
import type { Store } from '../../store/store.ts'
import { outgoingKey } from './keys.ts'
import {
  type Delivery,
  decodeQueued,
  encodeDelivery,
  kept,
  type Queued,
  RELEASED,
  RELEASED_BYTES,
} from './message.ts'

/** What a delivery takes in memory beside its payload and topic, about. */
const OVERHEAD_BYTES = 256

export class Queue {
  readonly #store: Store
  readonly #clientId: string
  readonly #isKept: boolean
  /** Rising, so the first is the oldest. */
  readonly #numbers: number[] = []
  readonly #held = new Map<number, Delivery>()
  #heldBytes = 0

  /** @param options.isKept whether it outlives the connection, and the relay */
  constructor(parts: { store: Store }, options: { clientId: string; isKept: boolean }) {
    this.#store = parts.store
    this.#clientId = options.clientId
    this.#isKept = options.isKept
  }

  get size(): number {
    return this.#numbers.length
  }

  /** About how much of memory is taken by what is held. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get oldest(): number | undefined {
    return this.#numbers[0]
  }

  get newest(): number {
    return this.#numbers.at(-1) ?? 0
  }

  /** A stored delivery, found while the store starts, in the order of the numbers. */
  restore(number: number): void {
    this.#numbers.push(number)
  }

  /** Adds a delivery that is newer than all others. */
  push(number: number, delivery: Delivery): void {
    this.#numbers.push(number)
    if (this.#isKept) {
      this.#store.insert(outgoingKey(this.#clientId, number), encodeDelivery(delivery))
      return
    }
    this.#held.set(number, delivery)
    this.#heldBytes += bytesOf(delivery)
  }

  /** What is still held will be for longer: apart from the packet that it came in. */
  keep(number: number): void {
    const held = this.#held.get(number)
    if (held !== undefined) this.#held.set(number, kept(held))
  }

  /** The oldest number above this one. */
  after(number: number): number | undefined {
    return this.#numbers[this.#above(number)]
  }

  /** At most `count` numbers from this one on. */
  from(number: number, count: number): number[] {
    const at = this.#above(number - 1)
    return this.#numbers.slice(at, at + count)
  }

  /** A delivery that is held in memory. */
  held(number: number): Delivery | undefined {
    return this.#held.get(number)
  }

  /** Deliveries from the store; `undefined` for one that is gone or damaged, and reported. */
  async read(numbers: readonly number[]): Promise<(Queued | undefined)[]> {
    const values = await this.#store.getMany(
      numbers.map((number) => outgoingKey(this.#clientId, number)),
    )
    return values.map((value) => value && decodeQueued(value))
  }

  /** It is on its way; what is not kept is never sent again. */
  sent(number: number): void {
    const held = this.#held.get(number)
    if (held === undefined) return
    this.#held.delete(number)
    this.#heldBytes -= bytesOf(held)
  }

  /** The client has received it (QoS 2); returns whether that is written now. */
  release(number: number): boolean {
    if (!this.#isKept || !this.#has(number)) return false
    this.#store.replace(outgoingKey(this.#clientId, number), RELEASED_BYTES)
    return true
  }

  remove(number: number): void {
    if (!this.#has(number)) return
    this.sent(number)
    this.#numbers.splice(this.#above(number - 1), 1)
    if (this.#isKept) this.#store.remove(outgoingKey(this.#clientId, number))
  }

  clear(): void {
    for (const number of [...this.#numbers]) this.remove(number)
  }

  #has(number: number): boolean {
    return this.#numbers[this.#above(number - 1)] === number
  }

  /** Index of the first number above this one. */
  #above(number: number): number {
    let low = 0
    let high = this.#numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] ?? 0) <= number) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** About what a delivery takes in memory. */
export function bytesOf(queued: Queued): number {
  if (queued === RELEASED) return OVERHEAD_BYTES
  return queued.payload.length + queued.topic.length + OVERHEAD_BYTES
}
