/**
 * The relay's ledger. What was accepted is by definition what was delivered, has expired, or
 * waits; so the sum holds at every moment and after every crash.
 */
import { decode, encode } from 'cborg'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { Store } from '../store/store.ts'

const KEY = 'meta/counts'

export type CountName = 'delivered' | 'expired' | 'refused'

export type Ledger = {
  readonly accepted: number
  readonly delivered: number
  readonly queued: number
  readonly expired: number
  readonly refused: number
}

export class Counts {
  readonly #store: Store
  readonly #mailboxes: Mailboxes
  readonly #values = new Map<CountName, number>([
    ['delivered', 0],
    ['expired', 0],
    ['refused', 0],
  ])

  constructor(parts: { store: Store; mailboxes: Mailboxes }) {
    this.#store = parts.store
    this.#mailboxes = parts.mailboxes
  }

  /** Goes on where the last run ended. */
  start(): void {
    const stored = this.#store.get(KEY)
    const values = stored === undefined ? [] : (decode(stored) as number[])
    for (const [at, name] of [...this.#values.keys()].entries()) {
      this.#values.set(name, values[at] ?? 0)
    }
  }

  /** Counts one, in the commit of the fact that is counted. */
  add(name: CountName): void {
    this.#values.set(name, this.#of(name) + 1)
    this.#store.put(KEY, encode([...this.#values.values()]))
  }

  get ledger(): Ledger {
    const delivered = this.#of('delivered')
    const expired = this.#of('expired')
    const { queued } = this.#mailboxes
    return {
      accepted: delivered + queued + expired,
      delivered,
      queued,
      expired,
      refused: this.#of('refused'),
    }
  }

  #of(name: CountName): number {
    return this.#values.get(name) ?? 0
  }
}
