/**
 * Cuts a stream of bytes into MQTT packets. A packet that is declared longer than allowed is
 * refused before its body is buffered; a whole packet inside one chunk is never copied.
 *
 *     | type and flags, 1 byte | remaining length, 1 to 4 bytes, 7 bits each | body |
 */
import { RelayError } from '../errors.ts'

/** A whole packet, and where its body begins. */
export type Frame = { readonly bytes: Buffer; readonly bodyAt: number }

const LENGTH_BYTES_MAX = 4
const HEADER_BYTES_MIN = 2
/** Chunks up to this size are gathered in blocks. */
const SMALL_BYTES_MAX = 1_024
const BLOCK_BYTES = 4_096
const EMPTY: Buffer = Buffer.alloc(0)

export class Framer {
  /** Largest packet, header included. Grows when a client is authenticated. */
  packetBytesMax: number
  /** What packets are cut from, from `#at` on. */
  #chunk = EMPTY
  #at = 0
  /** What came after it. */
  #later: Buffer[] = []
  /** Where small ones are gathered: the last of `#later`. */
  #block = EMPTY
  #blockAt = 0
  #waiting = 0
  /** Bytes that the next packet takes at least, as far as is known. */
  #needed = HEADER_BYTES_MIN

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax
  }

  /** Takes bytes in; `next` then gives the packets. */
  push(chunk: Buffer): void {
    if (this.#waiting === 0) this.#chunk = chunk
    else if (chunk.length <= SMALL_BYTES_MAX) this.#gather(chunk)
    else {
      this.#later.push(chunk)
      this.#block = EMPTY
    }
    this.#waiting += chunk.length
  }

  /** A chunk takes more than its bytes, which counts where each is a single one. */
  #gather(chunk: Buffer): void {
    if (this.#blockAt + chunk.length > this.#block.length) {
      this.#block = Buffer.allocUnsafe(BLOCK_BYTES)
      this.#blockAt = 0
      this.#later.push(EMPTY)
    }
    this.#blockAt += chunk.copy(this.#block, this.#blockAt)
    this.#later[this.#later.length - 1] = this.#block.subarray(0, this.#blockAt)
  }

  /** Bytes that are waiting for their packet to be complete, or for `next`. */
  get waiting(): number {
    return this.#waiting
  }

  /** The first byte of the next packet: enough to see what it is. */
  get firstByte(): number | undefined {
    return this.#chunk[this.#at]
  }

  /**
   * The next whole packet, or `undefined` until more bytes come.
   * @throws BAD_PACKET for a remaining length of more than 4 bytes [MQTT-1.5.5]
   * @throws PAYLOAD_TOO_LARGE for a packet beyond `packetBytesMax`
   */
  next(): Frame | undefined {
    // Joined only when that can help: a packet that comes byte by byte is not copied at each.
    if (this.#waiting < this.#needed) return undefined
    if (this.#later.length > 0) this.#join()
    const chunk = this.#chunk
    const start = this.#at
    let length = 0
    let unit = 1
    let bodyAt = 1
    for (;;) {
      if (bodyAt > LENGTH_BYTES_MAX) {
        throw new RelayError('BAD_PACKET', 'a remaining length has more than 4 bytes')
      }
      const byte = chunk[start + bodyAt]
      bodyAt += 1
      if (byte === undefined) return this.#wait(bodyAt)
      length += (byte & 0x7f) * unit
      unit *= 0x80
      if (byte < 0x80) break
    }
    const size = bodyAt + length
    if (size > this.packetBytesMax) {
      const says = `a packet of ${size} bytes; at most ${this.packetBytesMax} are allowed`
      throw new RelayError('PAYLOAD_TOO_LARGE', says)
    }
    if (this.#waiting < size) return this.#wait(size)
    this.#passed(size)
    return { bytes: chunk.subarray(start, start + size), bodyAt }
  }

  #join(): void {
    this.#chunk = Buffer.concat([this.#chunk.subarray(this.#at), ...this.#later])
    this.#at = 0
    this.#later = []
    this.#block = EMPTY
    this.#blockAt = 0
  }

  #wait(needed: number): undefined {
    this.#needed = needed
    return undefined
  }

  #passed(size: number): void {
    this.#waiting -= size
    this.#needed = HEADER_BYTES_MIN
    this.#at += size
    if (this.#waiting > 0) return
    this.#chunk = EMPTY
    this.#at = 0
  }
}
