/**
 * The writes that are gathered for one commit. Several changes of one key become one. A change
 * knows whether its key was there before this commit, which is what the tally needs.
 */
import assert from 'node:assert/strict'
import type { RelayError } from '../errors.ts'
import { keySum, seal, sealedValue } from './seal.ts'
import type { Tally } from './tally.ts'

export type Write = { readonly key: string; readonly value: Uint8Array }

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
export type Change = {
  /** The sealed value, or `null` where the key leaves. */
  sealed: Buffer | null
  /** Whether the key was there before this commit. */
  wasThere: boolean
  /** Who inserted the key in this commit, if anybody did. */
  owner: Offer | 'plain' | undefined
  readonly sum: number
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

  insert(key: string, value: Uint8Array, owner: Offer | 'plain'): void {
    const sum = keySum(key)
    const sealed = seal(sum, value)
    this.bytes += key.length + sealed.length
    const change = this.changes.get(key)
    if (change === undefined) {
      this.changes.set(key, { sealed, wasThere: false, owner, sum })
      return
    }
    assert(change.sealed === null, `inserted key ${key} was already there`)
    change.sealed = sealed
    change.owner = owner
  }

  replace(key: string, value: Uint8Array): void {
    const change = this.changes.get(key)
    const sum = change?.sum ?? keySum(key)
    const sealed = seal(sum, value)
    this.bytes += key.length + sealed.length
    if (change === undefined) {
      this.changes.set(key, { sealed, wasThere: true, owner: undefined, sum })
      return
    }
    assert(change.sealed !== null, `replaced key ${key} was not there`)
    change.sealed = sealed
  }

  remove(key: string): void {
    const change = this.changes.get(key)
    this.bytes += key.length
    if (change === undefined) {
      this.changes.set(key, { sealed: null, wasThere: true, owner: undefined, sum: keySum(key) })
      return
    }
    assert(change.sealed !== null, `removed key ${key} was not there`)
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
      change.sealed = null
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
    older.sealed = newer.sealed
    older.owner = newer.owner ?? older.owner
    if (older.sealed === null && !older.wasThere) this.changes.delete(key)
  }

  /** Counts what this batch changes. */
  countInto(tally: Tally): void {
    this.changes.forEach(({ sealed, wasThere, sum }, key) => {
      const isThere = sealed !== null
      if (isThere && !wasThere) tally.add(key, sum)
      if (!isThere && wasThere) tally.drop(key, sum)
    })
  }

  /** The value that `key` has in this batch, `null` where it leaves, `undefined` for no change. */
  valueOf(key: string): Buffer | null | undefined {
    const sealed = this.changes.get(key)?.sealed
    return sealed === undefined || sealed === null ? sealed : sealedValue(sealed)
  }
}
