/**
 * Cuts a stream of bytes into MQTT packets in place: a packet that lies whole in one chunk is
 * never copied. Speed is the job here; the load must cost less than the broker it measures.
 */

/** Takes each packet: its first byte, and where its body lies in `bytes`. */
export type FrameSink = (bytes: Buffer, first: number, start: number, end: number) => void

const LENGTH_BYTES_MAX = 4

export class FrameReader {
  readonly #sink: FrameSink
  #rest: Buffer | undefined

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** @throws Error where the bytes are no MQTT: a length of more than four bytes */
  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at < bytes.length) {
      const end = this.#takeOne(bytes, at)
      if (end === undefined) break
      at = end
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined
  }

  /** The end of the packet at `at`, or nothing where it is not whole yet. */
  #takeOne(bytes: Buffer, at: number): number | undefined {
    let length = 0
    for (let count = 1; count <= LENGTH_BYTES_MAX; count++) {
      const byte = bytes[at + count]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * 128 ** (count - 1)
      if (byte < 0x80) {
        const start = at + 1 + count
        const end = start + length
        if (end > bytes.length) return undefined
        this.#sink(bytes, bytes[at] ?? 0, start, end)
        return end
      }
    }
    throw new Error('the broker sent bytes that are no MQTT packet')
  }
}
