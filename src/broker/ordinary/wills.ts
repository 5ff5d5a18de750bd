/**
 * Wills of connected clients: each is published when its client goes without a goodbye, also where
 * the relay has gone first.
 */
import { decode, encode } from 'cborg'
import type { Properties } from '../../message/message.ts'
import type { Store } from '../../store/store.ts'
import { ownerOf, willKey } from './keys.ts'

export type Will = {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly isRetained: boolean
  readonly properties: Properties & { readonly messageExpiryInterval?: number }
  /** Seconds between the end of the connection and the will (3.1.3.2.2). */
  readonly delayS: number
}

type Stored = [
  topic: string,
  payload: Uint8Array,
  qos: 0 | 1 | 2,
  isRetained: boolean,
  properties: Will['properties'],
  delayS: number,
]

export class Wills {
  readonly #store: Store
  readonly #readAheadMax: number
  readonly #ids = new Set<string>()

  constructor(parts: { store: Store }, options: { readAheadMax: number }) {
    this.#store = parts.store
    this.#readAheadMax = options.readAheadMax
  }

  /** Called for each stored key of the table `will` while the store starts. */
  visit(key: string): void {
    this.#ids.add(ownerOf(key))
  }

  get size(): number {
    return this.#ids.size
  }

  set(id: string, will: Will): void {
    const value = encodeWill(will)
    if (this.#ids.has(id)) this.#store.replace(willKey(id), value)
    else this.#store.insert(willKey(id), value)
    this.#ids.add(id)
  }

  /** Ids of the sessions that have a will. */
  clientIds(): Iterable<string> {
    return this.#ids.values()
  }

  delete(id: string): void {
    if (this.#ids.delete(id)) this.#store.remove(willKey(id))
  }

  /** Those that there are now, a bounded number read at a time; damaged ones are left out. */
  async *all(): AsyncGenerator<[id: string, will: Will], void, undefined> {
    const ids = [...this.#ids]
    for (let from = 0; from < ids.length; from += this.#readAheadMax) {
      const page = ids.slice(from, from + this.#readAheadMax)
      const values = await this.#store.getMany(page.map(willKey))
      for (const [at, id] of page.entries()) {
        const value = values[at]
        if (value !== undefined) yield [id, decodeWill(value)]
      }
    }
  }
}

function encodeWill({ topic, payload, qos, isRetained, properties, delayS }: Will): Uint8Array {
  const stored: Stored = [topic, payload, qos, isRetained, properties, delayS]
  return encode(stored)
}

function decodeWill(bytes: Uint8Array): Will {
  const [topic, payload, qos, isRetained, properties, delayS] = decode(bytes) as Stored
  return { topic, payload, qos, isRetained, properties, delayS }
}
