/** Random identifiers and secrets; the source of randomness is an argument. */
import { randomBytes } from 'node:crypto'

export type RandomBytes = (size: number) => Uint8Array

/** Randomness of the operating system. */
export const systemRandom: RandomBytes = (size) => randomBytes(size)

/** `size` random bytes as URL-safe base64 without padding. */
export function randomToken(size: number, random: RandomBytes): string {
  return Buffer.from(random(size)).toString('base64url')
}

/** `size` random bytes as lower-case hexadecimal digits. */
export function randomHex(size: number, random: RandomBytes): string {
  return Buffer.from(random(size)).toString('hex')
}
