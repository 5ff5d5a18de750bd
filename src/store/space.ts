/**
 * Room on the disk: a reserve file that is given up when the disk is full, so that deliveries
 * and deletions can still be written, and the decision when new messages are refused.
 */
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Disk, DiskSpace } from './disk.ts'

/** How often the free space is asked for at most, and while full, at least. */
const LOOK_MS = 1_000

/** A small file system keeps these parts of itself free, where they are less than the limits. */
const FREE_PART = 1 / 16
const RESERVE_PART = 1 / 8

/** Room that must be there to end a shortage, as a multiple of what must be there to begin one. */
const ENOUGH = 1.25

/** Free bytes below which new messages are refused. */
export function freeBytesMin(space: DiskSpace): number {
  return Math.floor(Math.min(LIMITS.diskFreeBytesMin, space.totalBytes * FREE_PART))
}

export function reserveBytes(space: DiskSpace): number {
  return Math.floor(Math.min(LIMITS.reserveBytes, space.totalBytes * RESERVE_PART))
}

export class Space {
  readonly #clock: Clock
  readonly #log: Log
  readonly #disk: Disk
  readonly #folder: string
  readonly #reserve: string
  #isFull = false
  #hasReserve = false
  #freeBytes = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #isStopped = true

  /** @param options.reserve path of the reserve file, inside `options.folder` */
  constructor(
    parts: { clock: Clock; log: Log; disk: Disk },
    options: { folder: string; reserve: string },
  ) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#disk = parts.disk
    this.#folder = options.folder
    this.#reserve = options.reserve
  }

  /** Whether new messages are to be refused. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** As of the last look. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** @param hasReserve whether the last run left its reserve */
  async start(hasReserve: boolean): Promise<void> {
    this.#isStopped = false
    this.#hasReserve = hasReserve
    await this.#look()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    this.#cancel = undefined
    await this.#looking
  }

  /** To be called now and then while there are writes; looks at the disk once a second at most. */
  watch(): void {
    if (this.#clock.monotonicMs() - this.#lookedMs >= LOOK_MS) this.#lookNow()
  }

  #lookNow(): void {
    if (this.#isStopped || this.#looking !== undefined) return
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined
    })
  }

  /** A write has failed for lack of room. */
  async struck(): Promise<void> {
    this.#setFull('a write found no room on the disk')
    // A look that is making the reserve just now must not have the last word.
    await this.#looking
    this.#isFull = true
    this.#hasReserve = false
    await this.#disk.free(this.#reserve)
  }

  async #look(): Promise<void> {
    this.#lookedMs = this.#clock.monotonicMs()
    try {
      const space = await this.#disk.space(this.#folder)
      this.#freeBytes = space.freeBytes
      await this.#judge(space)
    } catch (error) {
      this.#log.warn(
        { error },
        'the free space of the disk is not known, or the reserve cannot be made',
      )
    }
    if (this.#isFull) this.#lookAgain()
  }

  async #judge(space: DiskSpace): Promise<void> {
    const least = freeBytesMin(space)
    // What a reserve that was given up has to take again is not free.
    const reserve = this.#hasReserve ? 0 : reserveBytes(space)
    const freeBytes = space.freeBytes - reserve
    if (freeBytes >= least * ENOUGH) {
      if (!this.#hasReserve) await this.#disk.allocate(this.#reserve, reserve)
      this.#hasReserve = true
      if (this.#isFull) this.#log.info({}, 'there is room on the disk again; messages are accepted')
      this.#isFull = false
    } else if (freeBytes < least) {
      this.#setFull(`${space.freeBytes} bytes are free, ${least + reserve} are needed`)
    }
  }

  #setFull(why: string): void {
    if (!this.#isFull) {
      this.#log.error({ why }, 'the disk is full: new messages are refused, deliveries go on')
    }
    this.#isFull = true
    this.#lookAgain()
  }

  #lookAgain(): void {
    if (this.#isStopped) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(LOOK_MS, () => this.#lookNow())
  }
}
