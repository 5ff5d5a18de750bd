/** Variable byte integers (1.5.5): 7 bits a byte, lowest first, at most 4 bytes. */

const BYTES_MAX = 4

/**
 * Reads one at `at`.
 * @returns the value and where it ends; `undefined` where bytes are missing or there are too many
 */
export function readVariable(
  bytes: Uint8Array,
  at: number,
): { value: number; end: number } | undefined {
  let value = 0
  for (let place = 0; place < BYTES_MAX; place += 1) {
    const byte = bytes[at + place]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * place)
    if (byte < 0x80) return { value, end: at + place + 1 }
  }
  return undefined
}

/** Writes one; `value` is at most 268,435,455. */
export function variable(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}
