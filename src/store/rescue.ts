/**
 * After a failed write LevelDB refuses every other one, deletions too, even when the cause is
 * gone. So a write that fails is followed by a fresh LevelDB, and by a look at what the disk
 * really holds: the outcome of a failed write is never assumed.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Generations } from './generations.ts'
import type { Findings } from './report.ts'
import type { Space } from './space.ts'

const FIRST_PAUSE_MS = 100

/** LevelDB that finds damage while it works is not helped by being opened again. */
const DAMAGE_TRIES_MAX = 3

/** Whether an error, or what caused it, says that the disk is full. */
export function isNoSpace(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (/No space left|ENOSPC|quota exceeded|EDQUOT/i.test(each.message)) return true
  }
  return false
}

/** Whether LevelDB complains of what it has read. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && /^Corruption/.test(error.message)
}

/** Milliseconds to wait before a try; at once after the first failure, then longer each time. */
export function pauseMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(LIMITS.reopenMsMax, FIRST_PAUSE_MS * 2 ** (failures - 2))
}

export class Rescue {
  readonly #clock: Clock
  readonly #log: Log
  readonly #generations: Generations
  readonly #space: Space
  readonly #findings: Findings
  #failures = 0
  #isStopped = false
  #endPause: (() => void) | undefined

  constructor(parts: {
    clock: Clock
    log: Log
    generations: Generations
    space: Space
    findings: Findings
  }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#generations = parts.generations
    this.#space = parts.space
    this.#findings = parts.findings
  }

  /**
   * Gets the store to write again, however long that takes, and says whether the commit with
   * this number had reached the disk all the same; `stopped` when the store was given up.
   * @throws STORE_DAMAGED where only a restart helps: damage is mended at start
   */
  async run(error: unknown, commit: number): Promise<'landed' | 'lost' | 'stopped'> {
    await this.#failed(error, 'a commit failed; LevelDB is opened again')
    while (!this.#isStopped) {
      await this.#pause(pauseMs(this.#failures))
      if (this.#isStopped) break
      try {
        await this.#generations.advance()
        return this.#look(commit)
      } catch (again) {
        await this.#failed(again, 'LevelDB could not be opened again; the next try follows')
      }
    }
    return 'stopped'
  }

  /** A commit has reached the disk: the next failure is a new one. */
  succeeded(): void {
    this.#failures = 0
  }

  start(): void {
    this.#isStopped = false
    this.#failures = 0
  }

  /** Gives up: a rescue that is under way ends with `stopped`. */
  stop(): void {
    this.#isStopped = true
    this.#endPause?.()
  }

  async #failed(error: unknown, text: string): Promise<void> {
    this.#failures += 1
    this.#log.error({ error, failures: this.#failures }, text)
    if (isDamage(error) && this.#failures > DAMAGE_TRIES_MAX) {
      throw new RelayError(
        'STORE_DAMAGED',
        'LevelDB has found damage; the relay repairs it when it starts',
        {
          cause: error,
        },
      )
    }
    if (isNoSpace(error)) await this.#space.struck()
  }

  #look(commit: number): 'landed' | 'lost' {
    const found = this.#generations.database.readTally()?.commit ?? 0
    if (found === commit) return 'landed'
    const missing = commit - 1 - found
    if (missing > 0) {
      const text = `${missing} commits that were on disk are gone after a failed write: ${found + 1} to ${commit - 1}`
      this.#findings.add({ kind: 'commits', count: missing, text })
    }
    return 'lost'
  }

  async #pause(ms: number): Promise<void> {
    if (ms === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(ms, resolve)
    this.#endPause = () => {
      cancel()
      resolve()
    }
    await promise
    this.#endPause = undefined
  }
}
