/**
 * The writes that are gathered for one commit. Several changes of one key become one. A change
 * knows whether its key was there before this commit, which is what the tally needs.
 */
import assert from 'node:assert/strict'
import type { RelayError } from '../errors.ts'
import { keySum, SEAL_BYTES, seal, sealedValue } from './seal.ts'
import type { Tally } from './tally.ts'

/** A value that is made when it goes to the disk: one that is taken back before never is. */
export type LateValue = {
  /** About how long it will be. */
  readonly bytes: number
  encode(): Uint8Array
}

export type Value = Uint8Array | LateValue

export type Write = { readonly key: string; readonly value: Value }

/** Who waits for an offer; a plain object, so that no promise is made for each message. */
export interface OfferWaiter {
  /** The offer is on disk. */
  committed(): void
  /** Nothing of the offer was written, nor of what was written to its keys since. */
  refused(error: RelayError): void
}

/** Inserts that may be refused or withdrawn; to its owner only a name for them. */
export class Offer {
  /** What it inserts; the values are in the batch. */
  readonly keys: readonly string[]
  readonly waiter: OfferWaiter
  /** Where it is gathered; nowhere once it was withdrawn or refused. */
  batch: Batch | undefined

  constructor(keys: readonly string[], waiter: OfferWaiter) {
    this.keys = keys
    this.waiter = waiter
  }
}

/** What happens to one key in a commit. */
export class Change {
  /** Whether the key was there before this commit. */
  wasThere: boolean
  /** Who inserted the key in this commit, if anybody did. */
  owner: Offer | 'plain' | undefined
  readonly #key: string
  /** `null` where the key leaves. */
  #value: Value | null
  #sealed: Buffer | undefined
  #sum: number | undefined

  constructor(key: string, value: Value | null, options: Pick<Change, 'wasThere' | 'owner'>) {
    this.#key = key
    this.#value = value
    this.wasThere = options.wasThere
    this.owner = options.owner
  }

  get isThere(): boolean {
    return this.#value !== null
  }

  get value(): Value | null {
    return this.#value
  }

  set value(value: Value | null) {
    this.#value = value
    this.#sealed = undefined
  }

  /** The key's `keySum`. */
  get sum(): number {
    this.#sum ??= keySum(this.#key)
    return this.#sum
  }

  /** The sealed value, made when it is first asked for; `null` where the key leaves. */
  get sealed(): Buffer | null {
    const value = this.#value
    if (value === null) return null
    this.#sealed ??= seal(this.sum, value instanceof Uint8Array ? value : value.encode())
    return this.#sealed
  }
}

export class Batch {
  readonly changes = new Map<string, Change>()
  readonly offers: Offer[] = []
  /** Called once the batch is on disk. */
  readonly after: (() => void)[] = []
  /** Bytes of keys and values that were gathered. */
  bytes = 0
  /** Offers that were not withdrawn. */
  #live = 0

  get isEmpty(): boolean {
    return this.changes.size === 0 && this.after.length === 0 && this.#live === 0
  }

  insert(key: string, value: Value, owner: Offer | 'plain'): void {
    this.bytes += key.length + bytesOf(value)
    const change = this.changes.get(key)
    if (change === undefined) {
      this.changes.set(key, new Change(key, value, { wasThere: false, owner }))
      return
    }
    assert(!change.isThere, `inserted key ${key} was already there`)
    change.value = value
    change.owner = owner
  }

  replace(key: string, value: Value): void {
    this.bytes += key.length + bytesOf(value)
    const change = this.changes.get(key)
    if (change === undefined) {
      this.changes.set(key, new Change(key, value, { wasThere: true, owner: undefined }))
      return
    }
    assert(change.isThere, `replaced key ${key} was not there`)
    change.value = value
  }

  remove(key: string): void {
    const change = this.changes.get(key)
    this.bytes += key.length
    if (change === undefined) {
      this.changes.set(key, new Change(key, null, { wasThere: true, owner: undefined }))
      return
    }
    assert(change.isThere, `removed key ${key} was not there`)
    this.#undo(key, change)
  }

  offer(inserts: readonly Write[], waiter: OfferWaiter): Offer {
    const keys = inserts.map(({ key }) => key)
    const offer = new Offer(keys, waiter)
    for (const { key, value } of inserts) this.insert(key, value, offer)
    this.#hold(offer)
    return offer
  }

  #hold(offer: Offer): void {
    offer.batch = this
    this.offers.push(offer)
    this.#live += 1
  }

  /** Takes the keys of an offer back as if they had never been written. */
  withdraw(offer: Offer): void {
    offer.batch = undefined
    this.#live -= 1
    for (const key of offer.keys) {
      const change = this.changes.get(key)
      if (change?.owner === offer) this.#undo(key, change)
    }
  }

  /** Brings a key back to where nothing had been inserted: gone. */
  #undo(key: string, change: Change): void {
    if (change.wasThere) {
      change.value = null
      change.owner = undefined
    } else {
      this.changes.delete(key)
    }
  }

  /**
   * Takes all offers back from a batch that did not reach the disk, also what `newer` did to
   * their keys meanwhile, and gives those who wait for them.
   */
  dropOffers(newer: Batch): OfferWaiter[] {
    const waiters: OfferWaiter[] = []
    for (const offer of this.offers) {
      if (offer.batch === undefined) continue
      offer.batch = undefined
      waiters.push(offer.waiter)
      for (const key of offer.keys) {
        const change = this.changes.get(key)
        if (change?.owner === offer) {
          this.#undo(key, change)
          newer.#forget(key)
        }
      }
    }
    this.offers.length = 0
    this.#live = 0
    return waiters
  }

  /** A key that this batch built on was never written. What was inserted anew since stays. */
  #forget(key: string): void {
    const change = this.changes.get(key)
    if (change === undefined) return
    if (change.owner === undefined) this.changes.delete(key)
    else change.wasThere = false
  }

  /** Adds everything of `newer`, which was gathered after this batch, in order. */
  absorb(newer: Batch): void {
    for (const [key, change] of newer.changes) this.#absorbChange(key, change)
    for (const offer of newer.offers) if (offer.batch !== undefined) this.#hold(offer)
    for (const run of newer.after) this.after.push(run)
    this.bytes += newer.bytes
  }

  #absorbChange(key: string, newer: Change): void {
    const older = this.changes.get(key)
    if (older === undefined) {
      this.changes.set(key, newer)
      return
    }
    older.value = newer.value
    older.owner = newer.owner ?? older.owner
    if (!older.isThere && !older.wasThere) this.changes.delete(key)
  }

  /** Counts what this batch changes. */
  countInto(tally: Tally): void {
    this.changes.forEach((change, key) => {
      const { isThere, wasThere } = change
      if (isThere && !wasThere) tally.add(key, change.sum)
      if (!isThere && wasThere) tally.drop(key, change.sum)
    })
  }

  /** Whether `key` is there after this batch; `undefined` where it does not change. */
  has(key: string): boolean | undefined {
    return this.changes.get(key)?.isThere
  }

  /** The value that `key` has in this batch, `null` where it leaves, `undefined` for no change. */
  valueOf(key: string): Buffer | null | undefined {
    const sealed = this.changes.get(key)?.sealed
    return sealed === undefined || sealed === null ? sealed : sealedValue(sealed)
  }
}

function bytesOf(value: Value): number {
  return SEAL_BYTES + (value instanceof Uint8Array ? value.length : value.bytes)
}
