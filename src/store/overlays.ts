/**
 * Writes on their way to the disk, as reads have to see them: the batch that gathers, the one in
 * flight, and, for a read that began before a commit ended, the batches that landed meanwhile.
 */
import { Batch } from './batch.ts'

/** One asynchronous read in progress. */
export type Reader = { readonly landed: Batch[] }

export class Overlays {
  gathering = new Batch()
  inFlight: Batch | undefined
  readonly #readers = new Set<Reader>()

  /** The batch that gathered goes to the disk; a new one gathers. */
  launch(): void {
    this.inFlight = this.gathering
    this.gathering = new Batch()
  }

  /** The batch in flight is on disk. */
  land(): void {
    const batch = this.inFlight
    this.inFlight = undefined
    if (batch !== undefined) for (const reader of this.#readers) reader.landed.push(batch)
  }

  /** The batch in flight did not reach the disk: it is gathered again, before what came since. */
  fallBack(): void {
    const batch = this.inFlight ?? new Batch()
    this.inFlight = undefined
    batch.absorb(this.gathering)
    this.gathering = batch
  }

  /** A value not on disk yet; `null` where the key leaves, `undefined` where nothing is known. */
  pending(key: string): Buffer | null | undefined {
    const newest = this.gathering.valueOf(key)
    return newest === undefined ? this.inFlight?.valueOf(key) : newest
  }

  /** The same for a read in progress, whose picture of the disk may be older. */
  pendingFor(reader: Reader, key: string): Buffer | null | undefined {
    let value = this.pending(key)
    for (let place = reader.landed.length - 1; value === undefined && place >= 0; place -= 1) {
      value = reader.landed[place]?.valueOf(key)
    }
    return value
  }

  /** To be called in the turn in which the read takes its picture of the disk. */
  enter(): Reader {
    const reader: Reader = { landed: [] }
    this.#readers.add(reader)
    return reader
  }

  leave(reader: Reader): void {
    this.#readers.delete(reader)
  }

  get pendingWrites(): number {
    return this.gathering.changes.size + (this.inFlight?.changes.size ?? 0)
  }

  get pendingBytes(): number {
    return this.gathering.bytes + (this.inFlight?.bytes ?? 0)
  }
}
