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

export class Framer {
  /** Largest packet, header included. Grows when a client is authenticated. */
  packetBytesMax: number
  #rest: Buffer | undefined

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax
  }

  /** Takes bytes in; `next` then gives the packets. */
  push(chunk: Buffer): void {
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /** Bytes that are waiting for their packet to be complete, or for `next`. */
  get waiting(): number {
    return this.#rest?.length ?? 0
  }

  /**
   * The next whole packet, or `undefined` until more bytes come.
   * @throws BAD_PACKET for a remaining length of more than 4 bytes [MQTT-1.5.5]
   * @throws PAYLOAD_TOO_LARGE for a packet beyond `packetBytesMax`
   */
  next(): Frame | undefined {
    const rest = this.#rest
    if (rest === undefined || rest.length < 2) return undefined
    let length = 0
    let at = 1
    for (;;) {
      if (at > LENGTH_BYTES_MAX) {
        throw new RelayError('BAD_PACKET', 'a remaining length has more than 4 bytes')
      }
      const byte = rest[at]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * 2 ** (7 * (at - 1))
      at += 1
      if (byte < 0x80) break
    }
    const end = at + length
    if (end > this.packetBytesMax) {
      const says = `a packet of ${end} bytes; at most ${this.packetBytesMax} are allowed`
      throw new RelayError('PAYLOAD_TOO_LARGE', says)
    }
    if (rest.length < end) return undefined
    this.#rest = rest.length === end ? undefined : rest.subarray(end)
    return { bytes: rest.subarray(0, end), bodyAt: at }
  }
}
