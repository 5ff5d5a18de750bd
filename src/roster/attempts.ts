/**
 * How often somebody may guess: failed sign-ins are counted for each address and for each user
 * name, and too many are refused before any hash is computed.
 *
 * - An address has `attemptsPerMinuteMax` failures a minute over all names. Nothing takes them
 *   back: otherwise a guesser would sign in with an own account between two guesses.
 * - A user name has `attemptsPerUserPerMinuteMax` failures a minute over all addresses. That
 *   bounds a guesser with many addresses, and one alone cannot use it up to lock the user out.
 *   Even many cannot where the user is at home: an address from which the user has signed in
 *   is known, and the bound of the user name does not apply there.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'

const MINUTE_MS = 60_000

export class Attempts {
  readonly #addresses: Failures
  readonly #names: Failures
  /** Pairs of name and address that have signed in; the longest unused one first. */
  readonly #known = new Set<string>()

  constructor(parts: { clock: Clock }) {
    this.#addresses = new Failures(parts, { perMinuteMax: LIMITS.attemptsPerMinuteMax })
    this.#names = new Failures(parts, { perMinuteMax: LIMITS.attemptsPerUserPerMinuteMax })
  }

  /** @throws TOO_MANY_ATTEMPTS */
  check(name: string, address: string): void {
    const from = canonical(address)
    const isKnown = this.#known.has(pair(name, from))
    const waitMs = Math.max(this.#addresses.waitMs(from), isKnown ? 0 : this.#names.waitMs(name))
    if (waitMs === 0) return
    throw new RelayError(
      'TOO_MANY_ATTEMPTS',
      `too many wrong passwords from ${from} or for this user: try again in ${Math.ceil(waitMs / 1000)} s`,
    )
  }

  failed(name: string, address: string): void {
    this.#addresses.count(canonical(address))
    this.#names.count(name)
  }

  succeeded(name: string, address: string): void {
    const key = pair(name, canonical(address))
    this.#known.delete(key)
    this.#known.add(key)
    dropOldest(this.#known)
  }
}

/** Failures of each key, as a leaky bucket (GCRA): a minute's worth at once, then one by one. */
class Failures {
  readonly #clock: Clock
  readonly #intervalMs: number
  /** When (monotonic) all failures of a key are forgotten; the longest untouched key first. */
  readonly #emptyMs = new Map<string, number>()

  constructor(parts: { clock: Clock }, options: { perMinuteMax: number }) {
    this.#clock = parts.clock
    this.#intervalMs = MINUTE_MS / options.perMinuteMax
  }

  /** Milliseconds until one more may fail; 0 for now. */
  waitMs(key: string): number {
    const emptyMs = this.#emptyMs.get(key)
    if (emptyMs === undefined) return 0
    return Math.max(0, emptyMs + this.#intervalMs - MINUTE_MS - this.#clock.monotonicMs())
  }

  count(key: string): void {
    const nowMs = this.#clock.monotonicMs()
    const emptyMs = Math.max(nowMs, this.#emptyMs.get(key) ?? 0) + this.#intervalMs
    this.#emptyMs.delete(key)
    this.#emptyMs.set(key, emptyMs)
    // To push an own key out takes more hashes in a minute than the relay computes.
    dropOldest(this.#emptyMs)
  }
}

function dropOldest(keys: {
  size: number
  keys(): Iterable<string>
  delete(key: string): boolean
}) {
  for (const oldest of keys.keys()) {
    if (keys.size <= LIMITS.attemptKeysMax) return
    keys.delete(oldest)
  }
}

function pair(name: string, address: string): string {
  return `${name} ${address}`
}

/** A listener for both families shows an IPv4 peer as `::ffff:192.0.2.1`. */
function canonical(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
