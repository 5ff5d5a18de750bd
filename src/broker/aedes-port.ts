/**
 * The stream that aedes takes for a socket. What the front lets through is pushed in; what aedes
 * writes comes out packet by packet, so that the front can put packets of its own between two of
 * aedes', never inside one.
 */
import { Duplex } from 'node:stream'
import { LIMITS } from '../limits.ts'
import { type Frame, Framer } from './framer.ts'

export interface AedesPortOwner {
  /** aedes has written a packet. */
  fromAedes(frame: Frame): void
  /** aedes has taken what it was given. */
  aedesHasRoom(): void
  /** aedes is done with the connection. */
  endedByAedes(): void
}

export class AedesPort extends Duplex {
  readonly #owner: AedesPortOwner
  readonly #framer = new Framer(Number.POSITIVE_INFINITY)
  #isFull = false

  constructor(owner: AedesPortOwner) {
    super({ decodeStrings: true, readableHighWaterMark: LIMITS.aedesBytesHigh })
    this.#owner = owner
  }

  /** Whether aedes has more than enough to do: nothing is to be given to it for now. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Gives aedes a packet from the client. */
  give(packet: Buffer): void {
    this.#isFull = !this.push(packet)
  }

  override _read(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#owner.aedesHasRoom()
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
