/**
 * A Bloom filter: says of a key that it was never added, or that it may have been. In front of a
 * table on disk it saves nearly every look for what is not there, which is the common case.
 */
import { LIMITS } from '../limits.ts'
import { keySum } from '../store/seal.ts'

/** Bits of an index into the filter; `LIMITS.keyFilterBytes` is a power of two. */
const INDEX_BITS = Math.log2(LIMITS.keyFilterBytes * 8)
/** Bits that are set for a key; four find 97 of 100 absent keys in a filter that is full. */
const PROBES = 4
/** An odd number without a pattern: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e3779b1

export class KeyFilter {
  readonly #bits = new Uint8Array(LIMITS.keyFilterBytes)
  #keys = 0

  /** Whether so many new keys were added that it begins to say `may have` too often. */
  get isFull(): boolean {
    return this.#keys >= LIMITS.keyFilterKeysMax
  }

  /** A key that it would let pass anyway counts for nothing. */
  add(key: string): void {
    const sum = keySum(key)
    const stride = strideOf(sum)
    let place = sum
    let isNew = false
    for (let probe = 0; probe < PROBES; probe += 1) {
      const index = place >>> (32 - INDEX_BITS)
      const byte = index >>> 3
      const before = this.#bits[byte] as number
      const after = before | (1 << (index & 7))
      if (after !== before) isNew = true
      this.#bits[byte] = after
      place = (place + stride) | 0
    }
    if (isNew) this.#keys += 1
  }

  /** False where the key was surely never added. */
  mayHave(key: string): boolean {
    const sum = keySum(key)
    const stride = strideOf(sum)
    let place = sum
    for (let probe = 0; probe < PROBES; probe += 1) {
      const index = place >>> (32 - INDEX_BITS)
      if (((this.#bits[index >>> 3] as number) & (1 << (index & 7))) === 0) return false
      place = (place + stride) | 0
    }
    return true
  }
}

/** How far the bits of a key lie from one another; odd, so that they are never the same one. */
function strideOf(sum: number): number {
  return Math.imul(sum, SPREAD) | 1
}
