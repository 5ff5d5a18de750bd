/** Randomness that can be had again: every choice of a drill or bench follows from its seed. */

const TWO_TO_32 = 2 ** 32

/** A small generator (xorshift128, seeded by splitmix32); not for secrets. */
export class SeededRandom {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any integer from 0 to 2^32 - 1 */
  constructor(seed: number) {
    let state = seed >>> 0
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0
      let mixed = state ^ (state >>> 16)
      mixed = Math.imul(mixed, 0x21f0aaad)
      mixed ^= mixed >>> 15
      mixed = Math.imul(mixed, 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** From 0 to 2^32 - 1. */
  uint32(): number {
    const mixed = this.#d ^ (this.#d << 11)
    this.#d = this.#c
    this.#c = this.#b
    this.#b = this.#a
    this.#a = (this.#a ^ (this.#a >>> 19) ^ mixed ^ (mixed >>> 8)) >>> 0
    return this.#a
  }

  /** From 0 up to but without 1. */
  fraction(): number {
    return this.uint32() / TWO_TO_32
  }

  /** An integer from `min` to `max`, both possible. */
  between(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  /** As often near `min` as near `max` on a logarithmic scale; `min` is at least 1. */
  betweenByMagnitude(min: number, max: number): number {
    return Math.floor(min * (max / min) ** this.fraction())
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** @throws Error for an empty list */
  pick<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length - 1)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  bytes(size: number): Buffer {
    const out = Buffer.alloc(size)
    for (let at = 0; at < size; at++) out[at] = this.uint32() >>> 24
    return out
  }
}
