/** Unpacks a raw Snappy block (format_description.txt of Snappy); only for checking LevelDB's tables. */

/** More than any block of ours: a wrong length must not take all memory. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024

/** The unpacked bytes, or `undefined` where `packed` is not a whole Snappy block. */
export function unpackSnappy(packed: Uint8Array): Buffer | undefined {
  const [bytes, start] = readVarint(packed, 0)
  if (start > packed.length || bytes > UNPACKED_BYTES_MAX) return undefined
  const out = Buffer.allocUnsafe(bytes)
  const filled = unpackInto(out, packed, start)
  return filled === bytes ? out : undefined
}

function unpackInto(out: Buffer, packed: Uint8Array, start: number): number {
  let at = start
  let filled = 0
  while (at < packed.length) {
    const tag = packed[at] as number
    const kind = tag & 3
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59)
      const length = 1 + (extra === 0 ? tag >> 2 : littleEndian(packed, at + 1, extra))
      at += 1 + extra
      if (at + length > packed.length || filled + length > out.length) return -1
      out.set(packed.subarray(at, at + length), filled)
      at += length
      filled += length
    } else {
      // Kinds 1, 2 and 3 have 1, 2 and 4 bytes of offset.
      const width = kind === 3 ? 4 : kind
      const high = kind === 1 ? (tag >> 5) << 8 : 0
      const offset = high + littleEndian(packed, at + 1, width)
      const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
      at += 1 + width
      if (offset === 0 || offset > filled || filled + length > out.length) return -1
      // Source and target may overlap, and then the copy repeats itself.
      for (let end = filled + length; filled < end; filled += 1) {
        out[filled] = out[filled - offset] as number
      }
    }
  }
  return filled
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let place = 0; place < width; place += 1) value += (bytes[at + place] ?? 0) * 256 ** place
  return value
}

/** A base-128 number at `at`, and where it ends: beyond the bytes when it is cut or too long. */
export function readVarint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0
  let factor = 1
  for (let place = at; place < bytes.length && place < at + 8; place += 1) {
    const byte = bytes[place] as number
    value += (byte & 127) * factor
    if (byte < 128) return [value, place + 1]
    factor *= 128
  }
  return [0, bytes.length + 1]
}
