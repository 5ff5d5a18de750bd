/** Wills of connected clients, so that they are published even if the relay goes down with them. */
import type { Store } from '../../store/store.ts'
import { ownerOf, willKey } from './keys.ts'
import { decodePacket, encodePacket, type Packet } from './packet.ts'
import { readPacket } from './stored-packet.ts'

/**
 * The `brokerId` of wills that an earlier run of the relay left: no broker that lives has it, so
 * aedes publishes them unless their clients come back first.
 */
export const EARLIER_RUN = 'earlier run'

export class Wills {
  readonly #store: Store
  readonly #readAheadMax: number
  /** Client id to whether the will is of an earlier run. */
  readonly #clients = new Map<string, boolean>()

  constructor(parts: { store: Store }, options: { readAheadMax: number }) {
    this.#store = parts.store
    this.#readAheadMax = options.readAheadMax
  }

  /** Called for each stored key of the table `will` while the store starts. */
  visit(key: string): void {
    this.#clients.set(ownerOf(key), true)
  }

  get size(): number {
    return this.#clients.size
  }

  set(clientId: string, will: Packet): void {
    const value = encodePacket(will)
    if (this.#clients.has(clientId)) this.#store.replace(willKey(clientId), value)
    else this.#store.insert(willKey(clientId), value)
    this.#clients.set(clientId, false)
  }

  get(clientId: string): Packet | undefined {
    if (!this.#clients.has(clientId)) return undefined
    const will = readPacket(this.#store, willKey(clientId))
    return will && this.#ofItsRun(clientId, will)
  }

  /** Ids of the sessions that have a will. */
  clientIds(): Iterable<string> {
    return this.#clients.keys()
  }

  /** Removes a will and returns it. */
  take(clientId: string): Packet | undefined {
    const will = this.get(clientId)
    if (this.#clients.delete(clientId)) this.#store.remove(willKey(clientId))
    return will
  }

  /** The wills whose `brokerId` is not among `living`. */
  async *orphaned(living: ReadonlySet<string>): AsyncGenerator<Packet, void, undefined> {
    const clientIds = [...this.#clients.keys()]
    for (let from = 0; from < clientIds.length; from += this.#readAheadMax) {
      const page = clientIds.slice(from, from + this.#readAheadMax)
      const values = await this.#store.getMany(page.map(willKey))
      for (const [at, clientId] of page.entries()) {
        const value = values[at]
        if (value === undefined) continue
        const will = this.#ofItsRun(clientId, decodePacket(value))
        if (!living.has(will.brokerId ?? '')) yield will
      }
    }
  }

  #ofItsRun(clientId: string, will: Packet): Packet {
    return this.#clients.get(clientId) ? { ...will, brokerId: EARLIER_RUN } : will
  }
}
