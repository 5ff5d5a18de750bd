/**
 * CRC-32C (Castagnoli), which LevelDB puts on its blocks and records but does not check when it
 * reads. Eight bytes a step, because a whole store is checked with it at start.
 */

/** The reversed polynomial. */
const POLYNOMIAL = 0x82f63b78
const SLICES = 8

const TABLE = makeTable()

function makeTable(): Int32Array {
  const table = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    table[byte] = crc
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] as number
    table[at] = (before >>> 8) ^ (table[before & 255] as number)
  }
  return table
}

/**
 * The checksum of `bytes[from..to)`, as a signed number.
 * @param start the checksum of what comes before, to go on from there
 */
export function crc32c(bytes: Uint8Array, from: number, to: number, start = 0): number {
  const t = TABLE
  let crc = ~start
  let at = from
  for (const last = to - SLICES; at <= last; at += SLICES) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (t[1792 + (crc & 255)] as number) ^
      (t[1536 + ((crc >>> 8) & 255)] as number) ^
      (t[1280 + ((crc >>> 16) & 255)] as number) ^
      (t[1024 + (crc >>> 24)] as number) ^
      (t[768 + (bytes[at + 4] as number)] as number) ^
      (t[512 + (bytes[at + 5] as number)] as number) ^
      (t[256 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number)
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 255] as number)
  return ~crc
}

const MASK_DELTA = 0xa282ead8

/** How LevelDB stores a checksum, so that one over data with checksums in it stays strong. */
export function maskedCrc32c(bytes: Uint8Array, from: number, to: number): number {
  const crc = crc32c(bytes, from, to)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** The checksum in its stored form, unmasked, as a signed number. */
export function unmask(stored: number): number {
  const rotated = (stored - MASK_DELTA) | 0
  return (rotated >>> 17) | (rotated << 15)
}
