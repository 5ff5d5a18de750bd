/**
 * Writes CBOR (RFC 8949) straight into one buffer of the right size. The codec that reads it back
 * makes an object for each token that it writes: a third of what the collector had to clear away
 * for each message.
 */

/** Major types, in the upper three bits of a head (RFC 8949 3.1). */
const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4 } as const
const NULL = 0xf6
const DOUBLE = 0xfb
const DOUBLE_BYTES = 9

/** Bytes of a head with this argument, in its shortest form (RFC 8949 4.2.1). */
export function headBytes(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : 9
}

/** Bytes of any number as `CborWriter.number` writes it. */
export function numberBytes(value: number): number {
  return isWhole(value) ? headBytes(value) : DOUBLE_BYTES
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export class CborWriter {
  /** Full when everything that was counted has been written. */
  readonly bytes: Buffer
  #at = 0

  /** @param size bytes of all that will be written */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  array(length: number): void {
    this.#head(MAJOR.array, length)
  }

  /** A safe integer from 0. */
  uint(value: number): void {
    this.#head(MAJOR.uint, value)
  }

  number(value: number): void {
    if (isWhole(value)) {
      this.uint(value)
      return
    }
    this.bytes[this.#at++] = DOUBLE
    this.#at = this.bytes.writeDoubleBE(value, this.#at)
  }

  /** A text of ASCII letters only, as all names are. */
  ascii(text: string): void {
    this.#head(MAJOR.text, text.length)
    this.#at += this.bytes.write(text, this.#at, 'latin1')
  }

  binary(value: Uint8Array): void {
    this.#head(MAJOR.bytes, value.length)
    this.encoded(value)
  }

  null(): void {
    this.bytes[this.#at++] = NULL
  }

  /** What is CBOR already. */
  encoded(value: Uint8Array): void {
    this.bytes.set(value, this.#at)
    this.#at += value.length
  }

  #head(major: number, argument: number): void {
    const { bytes } = this
    const type = major << 5
    if (argument < 24) {
      bytes[this.#at++] = type | argument
    } else if (argument < 0x100) {
      bytes[this.#at++] = type | 24
      bytes[this.#at++] = argument
    } else if (argument < 0x1_0000) {
      bytes[this.#at++] = type | 25
      this.#at = bytes.writeUInt16BE(argument, this.#at)
    } else if (argument < 0x1_0000_0000) {
      bytes[this.#at++] = type | 26
      this.#at = bytes.writeUInt32BE(argument, this.#at)
    } else {
      bytes[this.#at++] = type | 27
      this.#at = bytes.writeUInt32BE(Math.floor(argument / 0x1_0000_0000), this.#at)
      this.#at = bytes.writeUInt32BE(argument % 0x1_0000_0000, this.#at)
    }
  }
}
