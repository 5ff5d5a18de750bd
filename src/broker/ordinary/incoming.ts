/**
 * QoS 2 publishes that a client has not released yet: as long as the relay knows the packet id, a
 * second PUBLISH with it is the same message [MQTT-4.3.3-2].
 */
import { RelayError } from '../../errors.ts'
import { shown } from '../../message/names.ts'
import { lastNumber } from '../../store/keys.ts'
import type { Store } from '../../store/store.ts'
import { incomingKey, ownerOf } from './keys.ts'

/** The key says it all. */
const NOTHING = new Uint8Array()

export class Incoming {
  readonly #store: Store
  readonly #max: number
  readonly #packetIds = new Map<string, Set<number>>()
  #size = 0

  constructor(parts: { store: Store }, options: { incomingPerSessionMax: number }) {
    this.#store = parts.store
    this.#max = options.incomingPerSessionMax
  }

  /** Called for each stored key of the table `incoming` while the store starts. */
  visit(key: string): void {
    this.#add(ownerOf(key), lastNumber(key))
  }

  /** Unfinished publishes of all sessions. */
  get size(): number {
    return this.#size
  }

  /** @throws SENDER_FULL at the bound: the client releases none of its packet ids */
  add(clientId: string, packetId: number): void {
    const ids = this.#packetIds.get(clientId)
    if (ids?.has(packetId)) return
    if (ids !== undefined && ids.size >= this.#max) {
      throw new RelayError(
        'SENDER_FULL',
        `session ${shown(clientId)}: ${ids.size} publishes of QoS 2 are unfinished, as many as are allowed; send PUBREL for some`,
      )
    }
    this.#store.insert(incomingKey(clientId, packetId), NOTHING)
    this.#add(clientId, packetId)
  }

  /** Returns whether it was there. */
  remove(clientId: string, packetId: number): boolean {
    const ids = this.#packetIds.get(clientId)
    if (ids?.delete(packetId) !== true) return false
    if (ids.size === 0) this.#packetIds.delete(clientId)
    this.#size -= 1
    this.#store.remove(incomingKey(clientId, packetId))
    return true
  }

  /** The unfinished publishes of a session. */
  of(clientId: string): Iterable<number> {
    return this.#packetIds.get(clientId) ?? []
  }

  /** Ids of the sessions that have anything here. */
  clientIds(): Iterable<string> {
    return this.#packetIds.keys()
  }

  /** Forgets all of a session. */
  clear(clientId: string): void {
    for (const packetId of [...this.of(clientId)]) this.remove(clientId, packetId)
  }

  #add(clientId: string, packetId: number): void {
    const ids = this.#packetIds.get(clientId) ?? new Set()
    ids.add(packetId)
    this.#packetIds.set(clientId, ids)
    this.#size += 1
  }
}
