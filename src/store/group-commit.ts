/**
 * One commit path for everybody. Writes gather in a batch; a batch is written with one fsync; at
 * most one is on its way to the disk, and meanwhile the next one gathers.
 *
 *     gathering --(window over, or flush at the end of the turn)--> in flight --> on disk
 *                                                                      | failed
 *                                        fresh LevelDB, look: landed? --+--> on disk
 *     gathering <-- everything but the offers, in order before the newer --> offers refused
 *
 * All writes of one turn are in one batch, so they are on disk together or not at all.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { Batch, type Offer, type OfferWaiter } from './batch.ts'
import type { Generations } from './generations.ts'
import type { Overlays } from './overlays.ts'
import { isNoSpace, type Rescue } from './rescue.ts'
import { Tally } from './tally.ts'

/** A window shorter than this would close before an answer can come over a radio. */
const WINDOW_MS_MIN = 5

/** How much the newest fsync counts in the running mean. */
const FSYNC_WEIGHT = 0.1

/** How long writes wait for more company: two fsyncs, within bounds. */
export function commitWindowMs(fsyncMs: number): number {
  return Math.min(LIMITS.commitWindowMsMax, Math.max(WINDOW_MS_MIN, 2 * fsyncMs))
}

export class GroupCommit {
  readonly #clock: Clock
  readonly #generations: Generations
  readonly #overlays: Overlays
  readonly #rescue: Rescue
  readonly #committed: (tally: Tally) => void
  #tally = new Tally()
  #cancelWindow: (() => void) | undefined
  /** A commit is to start at the end of this turn. */
  #isAtTurnEnd = false
  /** The gathering batch is to follow the one in flight at once. */
  #isDue = false
  #isGivenUp = false
  /** Called after each commit, or attempt at one, while a stop waits. */
  #drained: (() => void) | undefined
  #commits = 0
  #bytesWritten = 0
  #fsyncMs = 0

  /** @param parts.committed told of each commit that is on disk, before those who wait for it */
  constructor(parts: {
    clock: Clock
    generations: Generations
    overlays: Overlays
    rescue: Rescue
    committed: (tally: Tally) => void
  }) {
    this.#clock = parts.clock
    this.#generations = parts.generations
    this.#overlays = parts.overlays
    this.#rescue = parts.rescue
    this.#committed = parts.committed
  }

  /** @param tally what the store holds now */
  start(tally: Tally): void {
    this.#tally = tally
    this.#isGivenUp = false
  }

  /** What is on disk. */
  get tally(): Tally {
    return this.#tally
  }

  get commits(): number {
    return this.#commits
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get fsyncMs(): number {
    return this.#fsyncMs
  }

  /** To be called after each write: the window opens with the first one. */
  wrote(): void {
    if (this.#cancelWindow !== undefined || this.#isAtTurnEnd || this.#isDue) return
    this.#cancelWindow = this.#clock.after(commitWindowMs(this.#fsyncMs), this.#windowEnded)
  }

  /** Starts the next commit at the end of this turn, or right after the one in flight. */
  flushSoon(): void {
    if (this.#isAtTurnEnd) return
    this.#isAtTurnEnd = true
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
    setImmediate(this.#turnEnded)
  }

  /** Commits everything; false when the disk could not be got to write before the rescue was stopped. */
  async drain(): Promise<boolean> {
    while (this.#overlays.inFlight !== undefined || !this.#overlays.gathering.isEmpty) {
      if (this.#isGivenUp) return false
      this.flushSoon()
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    return true
  }

  /** Refuses what could not be written before a stop, and forgets it. */
  abandon(): void {
    const { gathering } = this.#overlays
    this.#overlays.gathering = new Batch()
    const error = new RelayError(
      'STORE_FAILED',
      'the relay stopped before the disk took the message',
    )
    for (const waiter of gathering.dropOffers(new Batch())) waiter.refused(error)
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
  }

  readonly #windowEnded = (): void => {
    this.#cancelWindow = undefined
    this.#begin()
  }

  readonly #turnEnded = (): void => {
    this.#isAtTurnEnd = false
    this.#begin()
  }

  #begin(): void {
    const batch = this.#overlays.gathering
    if (batch.isEmpty) {
      this.#drained?.()
      return
    }
    if (this.#overlays.inFlight !== undefined) {
      this.#isDue = true
      return
    }
    this.#overlays.launch()
    this.#write(batch).catch((error: unknown) => {
      // Nothing above waits on this promise; what gets here is a bug, and must end the process.
      setImmediate(() => {
        throw error
      })
    })
  }

  async #write(batch: Batch): Promise<void> {
    const tally = this.#tally.at(this.#tally.commit + 1)
    batch.countInto(tally)
    try {
      if (batch.changes.size > 0) await this.#writeTimed(batch, tally)
    } catch (error) {
      const outcome = await this.#rescue.run(error, tally.commit)
      if (outcome !== 'landed') {
        this.#failed(batch, error, outcome === 'stopped')
        return
      }
    }
    if (batch.changes.size > 0) this.#count(batch, tally)
    this.#overlays.land()
    this.#tell(batch)
    this.#next()
    this.#drained?.()
  }

  async #writeTimed(batch: Batch, tally: Tally): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    await this.#generations.database.write(batch.changes, tally)
    const tookMs = this.#clock.monotonicMs() - startedMs
    this.#fsyncMs += (tookMs - this.#fsyncMs) * (this.#fsyncMs === 0 ? 1 : FSYNC_WEIGHT)
  }

  #count(batch: Batch, tally: Tally): void {
    this.#tally = tally
    this.#commits += 1
    this.#bytesWritten += batch.bytes
    this.#committed(tally)
  }

  #tell(batch: Batch): void {
    for (const offer of batch.offers) if (offer.batch !== undefined) leave(offer).committed()
    for (const run of batch.after) run()
  }

  /** Nothing of the batch is on disk: only the offers in it may be refused, all else must not get lost. */
  #failed(batch: Batch, cause: unknown, isStopped: boolean): void {
    const waiters = batch.dropOffers(this.#overlays.gathering)
    this.#overlays.fallBack()
    const error = refusal(cause)
    for (const waiter of waiters) waiter.refused(error)
    this.#isGivenUp = isStopped
    if (!isStopped) this.#next(true)
    this.#drained?.()
  }

  #next(isDue = this.#isDue): void {
    this.#isDue = false
    if (this.#overlays.gathering.isEmpty) return
    if (isDue) this.flushSoon()
    else this.wrote()
  }
}

function refusal(cause: unknown): RelayError {
  return isNoSpace(cause)
    ? new RelayError('DISK_FULL', 'no room for the message; make room on the disk of the relay', {
        cause,
      })
    : new RelayError('STORE_FAILED', 'the disk did not take the message; send it again', { cause })
}

function leave(offer: Offer): OfferWaiter {
  offer.batch = undefined
  return offer.waiter
}
