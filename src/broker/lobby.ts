/**
 * Connections that have not said who they are, by address. Somebody who opens connections and
 * says nothing takes the places of their own, not those of others.
 */
import { LIMITS } from '../limits.ts'
import { REASON } from './wire.ts'

/** A connection, as far as the lobby knows it. */
export interface Stranger {
  readonly address: string
  /** Ends the connection. `reason` is an MQTT 5 reason code. */
  disconnect(reason: number): void
}

export class Lobby {
  /** Those who have waited longest come first. */
  readonly #byAddress = new Map<string, Set<Stranger>>()

  /** Takes a stranger in; beyond the bound, the one of its address that has waited longest goes. */
  enter(stranger: Stranger): void {
    const waiting = this.#byAddress.get(stranger.address) ?? new Set()
    this.#byAddress.set(stranger.address, waiting.add(stranger))
    if (waiting.size <= LIMITS.strangersPerAddressMax) return
    const [longest] = waiting
    if (longest === undefined) return
    this.leave(longest)
    longest.disconnect(REASON.quotaExceeded)
  }

  /** It has said who it is, or is gone. */
  leave(stranger: Stranger): void {
    const waiting = this.#byAddress.get(stranger.address)
    if (waiting?.delete(stranger) === true && waiting.size === 0) {
      this.#byAddress.delete(stranger.address)
    }
  }

  /** Addresses that have anybody here. */
  get addresses(): number {
    return this.#byAddress.size
  }
}
