/**
 * What memory knows of one session's queue: the numbers of its messages, eight bytes each, and
 * what has become of those that are on their way. The messages are in the store.
 */

export class SessionQueue {
  /** Rising, so the first is the oldest. */
  readonly #numbers: number[] = []
  /** Number to the packet id under which the client got the message. */
  readonly #packetIds = new Map<number, number>()
  /** Number to the subscriptions that may still bring the message, where there are several. */
  readonly #ways = new Map<number, number>()

  /** Numbers that went out on an earlier connection, too. */
  readonly #again = new Set<number>()

  get size(): number {
    return this.#numbers.length
  }

  get oldest(): number | undefined {
    return this.#numbers[0]
  }

  /** The numbers of now, oldest first. */
  numbers(): number[] {
    return this.#numbers.slice()
  }

  has(number: number): boolean {
    return this.#at(number) !== undefined
  }

  /** Adds a message that is newer than all others, matched by `ways` subscriptions. */
  push(number: number, ways: number): void {
    this.#numbers.push(number)
    if (ways > 1) this.#ways.set(number, ways)
  }

  remove(number: number): void {
    const at = this.#at(number)
    if (at !== undefined) this.#numbers.splice(at, 1)
    this.#packetIds.delete(number)
    this.#ways.delete(number)
    this.#again.delete(number)
  }

  /** The client gets the message under this packet id. */
  sent(number: number, packetId: number): void {
    this.#packetIds.set(number, packetId)
  }

  /** The client got the message before, and gets it again under the same packet id. */
  sentAgain(number: number, packetId: number): void {
    this.#again.add(number)
    this.sent(number, packetId)
  }

  wasSentBefore(number: number): boolean {
    return this.#again.has(number)
  }

  packetIdOf(number: number): number | undefined {
    return this.#packetIds.get(number)
  }

  /** The message sent first under this packet id: acknowledgements come in the order of sending. */
  numberOf(packetId: number): number | undefined {
    for (const [number, id] of this.#packetIds) if (id === packetId) return number
    return undefined
  }

  /** The whole message is handed over: its subscriptions count as one from here on. */
  handedOver(number: number): void {
    this.#ways.delete(number)
  }

  /** One subscription will not bring the message; returns whether another one may. */
  loseWay(number: number): boolean {
    const left = (this.#ways.get(number) ?? 1) - 1
    if (left > 1) this.#ways.set(number, left)
    else this.#ways.delete(number)
    return left > 0
  }

  #at(number: number): number | undefined {
    let low = 0
    let high = this.#numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] ?? 0) < number) low = middle + 1
      else high = middle
    }
    return this.#numbers[low] === number ? low : undefined
  }
}
