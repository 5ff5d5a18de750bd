/**
 * Passwords that were right a few minutes ago, so that a fleet whose Wi-Fi came back need not
 * be hashed again one by one.
 *
 * Sound because: only right passwords get in; what is kept is an HMAC under a key that never
 * leaves this process and dies with it, so the table is worthless anywhere else; the HMAC covers
 * the stored PHC string, so a changed password misses at once; a removed account has no PHC
 * string to ask with. Attempt limits are checked before this table, so it is no faster oracle.
 * What it costs: who reads the memory of the running process can guess fast for the time an
 * entry lives, but the same memory shows passwords as they arrive.
 */
import { createHmac } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { RandomBytes } from '../ids.ts'
import { LIMITS } from '../limits.ts'

const KEY_BYTES = 32

export class Verified {
  readonly #clock: Clock
  readonly #key: Uint8Array
  /** Until when (monotonic) an HMAC counts; the first one lapses first. */
  readonly #until = new Map<string, number>()

  constructor(parts: { clock: Clock; random: RandomBytes }) {
    this.#clock = parts.clock
    this.#key = parts.random(KEY_BYTES)
  }

  /** Remembers that this password is right for this account and stored PHC string. */
  add(account: string, stored: string, password: Uint8Array): void {
    const mac = this.#mac(account, stored, password)
    this.#until.delete(mac)
    this.#until.set(mac, this.#clock.monotonicMs() + LIMITS.verifiedMsMax)
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= LIMITS.verifiedMax) return
      this.#until.delete(oldest)
    }
  }

  has(account: string, stored: string, password: Uint8Array): boolean {
    const mac = this.#mac(account, stored, password)
    const until = this.#until.get(mac)
    if (until === undefined) return false
    if (until > this.#clock.monotonicMs()) return true
    this.#until.delete(mac)
    return false
  }

  #mac(account: string, stored: string, password: Uint8Array): string {
    // Neither an account name nor a PHC string contains NUL, so the parts cannot be shifted.
    return createHmac('sha256', this.#key)
      .update(`${account}\0${stored}\0`)
      .update(password)
      .digest('base64')
  }
}
