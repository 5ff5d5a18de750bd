/**
 * How long sessions outlive their connections (3.1.2.11.2), counted in the age of the store, so
 * that a relay that was off takes no time from anybody. One record for each session that is kept.
 */
import { decode, encode } from 'cborg'
import type { Clock } from '../../clock.ts'
import { LIMITS } from '../../limits.ts'
import type { Store } from '../../store/store.ts'
import { lifetimeKey, ownerOf } from './keys.ts'

type Lifetime = {
  /** Seconds after the end of the connection. */
  readonly outlivesS: number
  /** Age of the store when its client left; `undefined` while it is here. */
  readonly goneMs: number | undefined
  /** The highest number that the session was sent, as far as that was written. */
  readonly sentMax: number | undefined
}

/** In the place of a moment that has not come. */
const HERE = -1

export class Lifetimes {
  readonly #store: Store
  readonly #clock: Clock
  readonly #ageMs: () => number
  readonly #lifetimes = new Map<string, Lifetime>()
  readonly #byAccount = new Map<string, Set<string>>()
  #end: (id: string) => void = () => undefined
  #nextMs = Number.POSITIVE_INFINITY
  #cancel: () => void = () => undefined

  constructor(parts: { store: Store; clock: Clock; ageMs: () => number }) {
    this.#store = parts.store
    this.#clock = parts.clock
    this.#ageMs = parts.ageMs
  }

  /** Called for each stored pair of the table `lifetime` while the store starts. */
  visit(key: string, value: Uint8Array): void {
    const [outlivesS = 0, goneMs = HERE, sentMax] = decode(value) as number[]
    const isHere = goneMs === HERE
    this.#set(ownerOf(key), {
      outlivesS,
      goneMs: isHere ? undefined : goneMs,
      sentMax: isHere ? undefined : sentMax,
    })
  }

  /** 0 where there is no such session. */
  outlivesS(id: string): number {
    return this.#lifetimes.get(id)?.outlivesS ?? 0
  }

  /** What an earlier run has sent of a session; `undefined` where it was killed with it. */
  sentMax(id: string): number | undefined {
    return this.#lifetimes.get(id)?.sentMax
  }

  /** Nobody is here yet: begins to count. `end` is called when the time of a session is over. */
  start(ids: Iterable<string>, end: (id: string) => void): void {
    this.#end = end
    for (const id of ids) {
      const { outlivesS, goneMs } = this.#lifetimes.get(id) ?? {}
      // Killed with its client, or its record was lost with damage.
      if (goneMs === undefined) this.gone(id, { outlivesS: outlivesS ?? LIMITS.expiresAfterSMax })
    }
    this.#arm()
  }

  stop(): void {
    this.#cancel()
  }

  /**
   * The client of a session is here.
   * @returns the session of its account that has to end for it, the one that has been left for
   *   longest, where the account has too many
   */
  here(id: string, outlivesS: number): string | undefined {
    const last = this.#lifetimes.get(id)
    const next = { outlivesS, goneMs: undefined, sentMax: undefined }
    if (last === undefined) this.#store.insert(lifetimeKey(id), encoded(next))
    else if (last.goneMs !== undefined || last.outlivesS !== outlivesS) {
      this.#store.replace(lifetimeKey(id), encoded(next))
    }
    this.#set(id, next)
    return this.#surplus(id)
  }

  /** The client of a session has left; `sentMax` is what it was sent. */
  gone(id: string, { outlivesS, sentMax }: { outlivesS: number; sentMax?: number }): void {
    const goneMs = this.#ageMs()
    const next = { outlivesS, goneMs, sentMax }
    const value = encoded(next)
    if (this.#lifetimes.has(id)) this.#store.replace(lifetimeKey(id), value)
    else this.#store.insert(lifetimeKey(id), value)
    this.#set(id, next)
    if (goneMs + outlivesS * 1000 < this.#nextMs) this.#arm()
  }

  delete(id: string): void {
    if (!this.#lifetimes.delete(id)) return
    this.#store.remove(lifetimeKey(id))
    const account = accountOf(id)
    const ids = this.#byAccount.get(account)
    ids?.delete(id)
    if (ids?.size === 0) this.#byAccount.delete(account)
  }

  #set(id: string, lifetime: Lifetime): void {
    this.#lifetimes.set(id, lifetime)
    const account = accountOf(id)
    const ids = this.#byAccount.get(account) ?? new Set()
    this.#byAccount.set(account, ids.add(id))
  }

  #surplus(id: string): string | undefined {
    const account = accountOf(id)
    const ids = this.#byAccount.get(account) ?? new Set()
    const max = account === NOBODY ? LIMITS.anonymousSessionsMax : LIMITS.sessionsPerAccountMax
    if (ids.size <= max) return undefined
    let oldest: string | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    for (const other of ids) {
      const goneMs = this.#lifetimes.get(other)?.goneMs
      if (goneMs === undefined || goneMs >= oldestMs) continue
      oldest = other
      oldestMs = goneMs
    }
    return oldest
  }

  #arm(): void {
    this.#cancel()
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const lifetime of this.#lifetimes.values()) {
      this.#nextMs = Math.min(this.#nextMs, endOf(lifetime))
    }
    if (this.#nextMs === Number.POSITIVE_INFINITY) return
    const leftMs = Math.max(1, this.#nextMs - this.#ageMs())
    this.#cancel = this.#clock.after(leftMs, () => this.#look())
  }

  #look(): void {
    const ageMs = this.#ageMs()
    const over = [...this.#lifetimes].filter(([, lifetime]) => endOf(lifetime) <= ageMs)
    for (const [id] of over) this.#end(id)
    this.#arm()
  }
}

/** Age of the store at which a session ends. */
function endOf({ outlivesS, goneMs }: Lifetime): number {
  return goneMs === undefined ? Number.POSITIVE_INFINITY : goneMs + outlivesS * 1000
}

/** CBOR: seconds that it outlives, age at which its client left, what it was sent. */
function encoded({ outlivesS, goneMs, sentMax }: Lifetime): Uint8Array {
  return encode(sentMax === undefined ? [outlivesS, goneMs ?? HERE] : [outlivesS, goneMs, sentMax])
}

/** The account of all who sign in without a name. */
const NOBODY = ''

/** No account has a `/` in its name. */
function accountOf(id: string): string {
  return id.slice(0, id.indexOf('/'))
}
