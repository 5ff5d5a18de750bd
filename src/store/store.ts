/**
 * The one place where bytes are kept: sealed pairs in LevelDB, written by group commit, counted,
 * checked at start and mended. What is in it, and who may see it, is known above.
 *
 * In its folder: `pairs-N/` LevelDB · `marks` how far it had come · `reserve` room for hard times ·
 * `lock/` held by the running process · `damaged-N/` what was set aside.
 */
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { Offer, type OfferWaiter, type Write } from './batch.ts'
import { type OpenDatabase, openDatabase, takeLock } from './database.ts'
import { type Disk, systemDisk } from './disk.ts'
import { isFilled, ownFolder, refuseForeign } from './folder.ts'
import { Generations } from './generations.ts'
import { GroupCommit } from './group-commit.ts'
import { Leavings } from './leavings.ts'
import { Marks } from './marks.ts'
import { Opening, type Visit } from './opening.ts'
import { Overlays } from './overlays.ts'
import { Reads, type Scan } from './reads.ts'
import { Findings, type StoreReport } from './report.ts'
import { isNoSpace, Rescue } from './rescue.ts'
import { Space } from './space.ts'

export type { Offer, OfferWaiter, Write } from './batch.ts'
export type { Damage, StoreReport } from './report.ts'

export type StoreStats = {
  /** Number of the newest commit on disk; counts on over restarts. */
  readonly commit: number
  /** Commits since start. */
  readonly commits: number
  /** Bytes of keys and values in them. */
  readonly bytesWritten: number
  /** Offers since start that were withdrawn in time: never written. */
  readonly withdrawn: number
  /** Running mean of a commit's time on the disk. */
  readonly fsyncMs: number
  readonly pendingWrites: number
  readonly pendingBytes: number
  /** Free space on the disk at the last look. */
  readonly freeBytes: number
}

type Refusal = { readonly waiter: OfferWaiter; readonly error: RelayError }

export class Store {
  readonly #path: string
  readonly #findings: Findings
  readonly #generations: Generations
  readonly #overlays = new Overlays()
  readonly #reads: Reads
  readonly #marks: Marks
  readonly #space: Space
  readonly #rescue: Rescue
  readonly #commit: GroupCommit
  #withdrawn = 0
  readonly #opening: Opening
  readonly #clock: Clock
  readonly #log: Log
  readonly #leavings = new Leavings()
  readonly #refusals: Refusal[] = []
  #lock: { release(): Promise<void> } | undefined
  #started: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  /**
   * @param parts.disk free space and reserve; the machine's own where absent
   * @param parts.open opens LevelDB; a test puts failures in between
   * @param options.path the folder of the store; made where there is none
   */
  constructor(
    parts: { clock: Clock; log: Log; disk?: Disk; open?: OpenDatabase },
    options: { path: string },
  ) {
    const { clock, log, disk = systemDisk, open = openDatabase } = parts
    const { path } = options
    this.#path = path
    this.#clock = clock
    this.#log = log
    const findings = new Findings({ log })
    const generations = new Generations({ open }, { path })
    const overlays = this.#overlays
    this.#findings = findings
    this.#generations = generations
    this.#reads = new Reads({ generations, overlays, findings })
    this.#marks = new Marks({ log }, { path: join(path, 'marks') })
    this.#space = new Space({ clock, log, disk }, { folder: path, reserve: join(path, 'reserve') })
    this.#rescue = new Rescue({ clock, log, generations, findings, space: this.#space })
    this.#opening = new Opening(
      {
        log,
        open,
        generations,
        findings,
        marks: this.#marks,
        makeRoom: () => disk.free(join(path, 'reserve')),
      },
      { path },
    )
    this.#commit = new GroupCommit({
      clock,
      generations,
      overlays,
      rescue: this.#rescue,
      committed: (tally) => {
        this.#marks.note(tally)
        this.#rescue.succeeded()
        this.#space.watch()
      },
    })
  }

  /**
   * Opens the store, repairs what is damaged, checks everything, and calls `visit` for every
   * sound pair, in key order, in the same single pass.
   *
   * @param again called where the pass has to begin again from the first key, because it found
   *   that keys are missing and the store was repaired: forget what was visited so far
   * @throws STORE_LOCKED, STORE_NEWER, STORE_FAILED
   */
  async start(visit: Visit, again: () => void = () => undefined): Promise<void> {
    this.#started ??= this.#start(visit, again)
    try {
      await this.#started
    } catch (error) {
      this.#started = undefined
      throw error
    }
  }

  async #start(visit: Visit, again: () => void): Promise<void> {
    await ownFolder(this.#path)
    for (const name of ['marks', 'reserve']) await refuseForeign(join(this.#path, name), 'file')
    await refuseForeign(join(this.#path, 'lock'), 'folder')
    this.#lock = await takeLock(join(this.#path, 'lock'))
    try {
      this.#rescue.start()
      const tally = await this.#opening.run(visit, again)
      this.#commit.start(tally)
      await this.#space.start(await isFilled(join(this.#path, 'reserve')))
    } catch (error) {
      await this.#close(false)
      throw isNoSpace(error) ? startError(this.#path, error) : error
    }
  }

  /**
   * Commits everything, closes the store, and notes that it was closed in order. On a disk that
   * does not write it gives up after `storeStopMsMax`; what is refused then was never acknowledged.
   */
  async stop(): Promise<void> {
    const started = this.#started
    if (started === undefined) return
    this.#stopped ??= started.then(
      () => this.#stop(),
      () => undefined,
    )
    await this.#stopped
    this.#started = undefined
    this.#stopped = undefined
  }

  async #stop(): Promise<void> {
    const cancel = this.#clock.after(LIMITS.storeStopMsMax, () => this.#rescue.stop())
    const isCommitted = await this.#commit.drain()
    cancel()
    if (!isCommitted) {
      this.#log.error({}, 'the store stops without its newest writes')
      this.#commit.abandon()
    }
    await this.#close(isCommitted)
  }

  async #close(isClean: boolean): Promise<void> {
    await this.#space.stop()
    await this.#generations.close()
    await this.#marks.stop(isClean ? this.#commit.tally : undefined)
    await this.#lock?.release()
    this.#lock = undefined
  }

  // ---- reading

  /**
   * The value of a key, whether on disk yet or not.
   * @throws STORE_DAMAGED
   */
  get(key: string): Uint8Array | undefined {
    return this.#reads.get(key)
  }

  /** Whether there is a value for a key, be it damaged. */
  has(key: string): boolean {
    const pending = this.#overlays.pending(key)
    if (pending !== undefined) return pending !== null
    return this.#generations.database.get(key) !== undefined
  }

  /** The values of many keys; `undefined` for one that is not there, or damaged and reported. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reads.getMany(keys)
  }

  /**
   * Pairs of a range that were on disk when the scan began, in order, at most `limit`, with all
   * changes and removals until the promise resolves. Keys that are not committed yet are left
   * out. Fewer than `limit` means that the range has no more. Damaged pairs are reported and
   * left out.
   */
  scan(scan: Scan): Promise<[string, Uint8Array][]> {
    return this.#reads.scan(scan)
  }

  // ---- writing; all writes of one turn are on disk together or not at all

  /** Writes a key that is not there. */
  insert(key: string, value: Uint8Array): void {
    this.#overlays.gathering.insert(key, value, 'plain')
    this.#commit.wrote()
  }

  /** Writes a key that is there. */
  replace(key: string, value: Uint8Array): void {
    this.#overlays.gathering.replace(key, value)
    this.#commit.wrote()
  }

  /** Writes a key, after a look whether it is there. */
  put(key: string, value: Uint8Array): void {
    if (this.has(key)) this.replace(key, value)
    else this.insert(key, value)
  }

  /** Removes a key that is there. */
  remove(key: string): void {
    this.#overlays.gathering.remove(key)
    this.#leavings.note(key)
    this.#commit.wrote()
  }

  /** Takes the bytes of removed messages off the disk. */
  async tidy(): Promise<void> {
    for (const range of this.#leavings.take()) await this.#generations.database.compact(range)
  }

  /**
   * Inserts what belongs to a new message: the only writes that may be refused. A full disk
   * refuses at once, but never before the caller's turn has ended; a failed commit refuses later.
   */
  offer(inserts: readonly Write[], waiter: OfferWaiter): Offer {
    const error = this.#refusal()
    if (error === undefined) {
      const offer = this.#overlays.gathering.offer(inserts, waiter)
      this.#commit.wrote()
      return offer
    }
    if (this.#refusals.length === 0) queueMicrotask(this.#tellRefusals)
    this.#refusals.push({ waiter, error })
    return new Offer([], waiter)
  }

  #refusal(): RelayError | undefined {
    if (this.#space.isFull) {
      return new RelayError('DISK_FULL', 'the disk of the relay is full; make room on it')
    }
    if (this.#overlays.pendingBytes > LIMITS.pendingBytesMax) {
      return new RelayError(
        'STORE_FAILED',
        `more than ${LIMITS.pendingBytesMax} bytes wait for the disk of the relay; send again later`,
      )
    }
    return undefined
  }

  readonly #tellRefusals = (): void => {
    for (const { waiter, error } of this.#refusals.splice(0)) waiter.refused(error)
  }

  /**
   * Takes an offer back. True: it was still being gathered; its keys are gone as if they had
   * never been written, with what was written to them since, and the waiter is not called.
   */
  withdraw(offer: Offer): boolean {
    const { gathering } = this.#overlays
    if (offer.batch !== gathering) return false
    gathering.withdraw(offer)
    this.#withdrawn += 1
    return true
  }

  // ---- waiting

  /** Resolves when everything written so far is on disk; starts the commit at the end of the turn. */
  committed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.afterCommit(resolve)
    this.flushSoon()
    return promise
  }

  /** Calls `run` when everything written so far is on disk; starts no commit. */
  afterCommit(run: () => void): void {
    const { gathering, inFlight } = this.#overlays
    if (!gathering.isEmpty) gathering.after.push(run)
    else if (inFlight !== undefined) inFlight.after.push(run)
    else queueMicrotask(run)
  }

  /** Starts the next commit at the end of this turn, instead of when its window is over. */
  flushSoon(): void {
    this.#commit.flushSoon()
  }

  // ---- state

  /** What was found damaged, and what was done about it. */
  get report(): StoreReport {
    return this.#findings
  }

  /** Whether the disk is full: new messages are refused, all else goes on. */
  get isFull(): boolean {
    return this.#space.isFull
  }

  get stats(): StoreStats {
    const { commits, bytesWritten, fsyncMs, tally } = this.#commit
    const { pendingWrites, pendingBytes } = this.#overlays
    return {
      commit: tally.commit,
      commits,
      bytesWritten,
      withdrawn: this.#withdrawn,
      fsyncMs,
      pendingWrites,
      pendingBytes,
      freeBytes: this.#space.freeBytes,
    }
  }
}

function startError(path: string, cause: unknown): RelayError {
  return new RelayError(
    'STORE_FAILED',
    `${path} cannot be opened on a full disk; make room on it`,
    {
      cause,
    },
  )
}
