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

export class Framer {
  /** Largest packet, header included. Grows when a client is authenticated. */
  packetBytesMax: number
  #chunks: Buffer[] = []
  #waiting = 0
  /** Bytes that the next packet takes at least, as far as is known. */
  #needed = HEADER_BYTES_MIN

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax
  }

  /** Takes bytes in; `next` then gives the packets. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
  }

  /** Bytes that are waiting for their packet to be complete, or for `next`. */
  get waiting(): number {
    return this.#waiting
  }

  /** The first byte of the next packet: enough to see what it is. */
  get firstByte(): number | undefined {
    return this.#chunks.find(({ length }) => length > 0)?.[0]
  }

  /**
   * The next whole packet, or `undefined` until more bytes come.
   * @throws BAD_PACKET for a remaining length of more than 4 bytes [MQTT-1.5.5]
   * @throws PAYLOAD_TOO_LARGE for a packet beyond `packetBytesMax`
   */
  next(): Frame | undefined {
    // Joined only when that can help: a packet that comes byte by byte is not copied at each.
    if (this.#waiting < this.#needed) return undefined
    const rest = this.#joined()
    let length = 0
    let at = 1
    for (;;) {
      if (at > LENGTH_BYTES_MAX) {
        throw new RelayError('BAD_PACKET', 'a remaining length has more than 4 bytes')
      }
      const byte = rest[at]
      if (byte === undefined) return this.#wait(at + 1)
      length += (byte & 0x7f) * 2 ** (7 * (at - 1))
      at += 1
      if (byte < 0x80) break
    }
    const end = at + length
    if (end > this.packetBytesMax) {
      const says = `a packet of ${end} bytes; at most ${this.packetBytesMax} are allowed`
      throw new RelayError('PAYLOAD_TOO_LARGE', says)
    }
    if (rest.length < end) return this.#wait(end)
    this.#keep(rest.subarray(end))
    return { bytes: rest.subarray(0, end), bodyAt: at }
  }

  #joined(): Buffer {
    const [first = Buffer.alloc(0), ...more] = this.#chunks
    const rest = more.length === 0 ? first : Buffer.concat(this.#chunks)
    this.#chunks = [rest]
    return rest
  }

  #wait(needed: number): undefined {
    this.#needed = needed
    return undefined
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#waiting = rest.length
    this.#needed = HEADER_BYTES_MIN
  }
}
