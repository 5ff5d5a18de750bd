/**
 * The stream that aedes takes for a socket. What the front lets through is pushed in; what aedes
 * writes comes out packet by packet, so that the front can hold an acknowledgement back and put
 * packets of its own between two of aedes', never inside one.
 */
import { Duplex } from 'node:stream'
import { type Frame, Framer } from './framer.ts'

export interface AedesPortOwner {
  /** aedes has written a packet. */
  fromAedes(frame: Frame): void
  /** aedes is done with the connection. */
  endedByAedes(): void
}

export class AedesPort extends Duplex {
  readonly #owner: AedesPortOwner
  readonly #framer = new Framer(Number.POSITIVE_INFINITY)

  constructor(owner: AedesPortOwner) {
    super({ decodeStrings: true })
    this.#owner = owner
  }

  override _read(): void {
    // Packets are pushed as they come; the front bounds how many.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#take(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }

  #take(bytes: Buffer): void {
    this.#framer.push(bytes)
    for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
      this.#owner.fromAedes(frame)
    }
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.#owner.endedByAedes()
    done()
  }
}
