/** Reads a packet in place, field by field (1.5); every step checks that the bytes are there. */
import { isUtf8 } from 'node:buffer'
import { RelayError } from '../errors.ts'
import { readVariable } from './variable.ts'

export class Reader {
  readonly #packet: string
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  /**
   * Reads from `at` to `end`.
   * @param packet what it is, for errors: "a SUBSCRIBE"
   */
  constructor(packet: string, bytes: Buffer, at: number, end: number) {
    this.#packet = packet
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at
  }

  get isDone(): boolean {
    return this.#at >= this.#end
  }

  #step(size: number): number {
    const from = this.#at
    if (from + size > this.#end) throw this.malformed('it is cut off')
    this.#at += size
    return from
  }

  byte(): number {
    return this.#bytes[this.#step(1)] ?? 0
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#step(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#step(4))
  }

  /** [MQTT-1.5.5-1] */
  variable(): number {
    const found = readVariable(this.#bytes.subarray(0, this.#end), this.#at)
    if (found === undefined) throw this.malformed('a variable byte integer is cut off or too long')
    this.#at = found.end
    return found.value
  }

  /** Still in the packet; a copy is for whoever keeps it. */
  binary(): Buffer {
    const size = this.uint16()
    const from = this.#step(size)
    return this.#bytes.subarray(from, from + size)
  }

  /** [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
  text(): string {
    const bytes = this.binary()
    if (!isUtf8(bytes) || bytes.includes(0)) {
      throw this.malformed('a text is no UTF-8, or has U+0000')
    }
    return bytes.toString()
  }

  /** [MQTT-2.2.1-3] */
  packetId(): number {
    const id = this.uint16()
    if (id === 0) throw this.malformed('its packet identifier is 0')
    return id
  }

  /** The next `size` bytes as a part of their own. */
  part(size: number): Reader {
    const from = this.#step(size)
    return new Reader(this.#packet, this.#bytes, from, from + size)
  }

  /** @throws BAD_PACKET where bytes are left */
  end(): void {
    if (!this.isDone) throw this.malformed('it has bytes after its end')
  }

  /** BAD_PACKET: bytes that are no such packet (4.13). */
  malformed(what: string): RelayError {
    return new RelayError('BAD_PACKET', `${this.#packet} is malformed: ${what}`)
  }

  /** PROTOCOL_ERROR: a packet that says what it must not (4.13). */
  protocolError(what: string): RelayError {
    return new RelayError('PROTOCOL_ERROR', `${this.#packet} breaks the protocol: ${what}`)
  }
}
