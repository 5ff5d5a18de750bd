/**
 * What is stored for a key: `value bytes · CRC-32 of key and value, 4 bytes, big endian`.
 * LevelDB does not check what it reads, so this is how a changed byte is noticed. The key is
 * part of the sum, so a value that turns up under another key is noticed as well.
 */
import { crc32 } from 'node:zlib'

export const SEAL_BYTES = 4

/** The part of a seal that depends on the key alone, as a signed 32-bit number. */
export function keySum(key: string): number {
  return crc32(key) | 0
}

/** A copy of `value` with its seal; `sum` is the key's `keySum`. */
export function seal(sum: number, value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(value.length + SEAL_BYTES)
  sealed.set(value)
  sealed.writeUInt32BE(crc32(value, sum >>> 0), value.length)
  return sealed
}

/** The value in `sealed` (a view of it), or `undefined` where key, value or seal has changed. */
export function unseal(key: string, sealed: Buffer): Buffer | undefined {
  return unsealWith(keySum(key), sealed)
}

/** The same with a `keySum` that is known already. */
export function unsealWith(sum: number, sealed: Buffer): Buffer | undefined {
  const bytes = sealed.length - SEAL_BYTES
  if (bytes < 0) return undefined
  const value = sealed.subarray(0, bytes)
  return crc32(value, sum >>> 0) === sealed.readUInt32BE(bytes) ? value : undefined
}

/** The value in something that `seal` made in this process. */
export function sealedValue(sealed: Buffer): Buffer {
  return sealed.subarray(0, sealed.length - SEAL_BYTES)
}
