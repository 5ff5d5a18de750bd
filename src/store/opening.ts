/**
 * What happens to a store between being closed (or killed) and being in use: checked before
 * LevelDB sees it, opened, compared with its marks, read through once, mended where any of
 * these finds damage.
 */
import { RelayError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { OpenDatabase } from './database.ts'
import type { Generations } from './generations.ts'
import type { Marks } from './marks.ts'
import type { Findings } from './report.ts'
import { Tally } from './tally.ts'
import { passOver } from './verify.ts'

/** The layout of keys and values. A newer one is refused, an older one would be migrated here. */
const FORMAT = 1

export class Opening {
  readonly #generations: Generations
  readonly #marks: Marks

  constructor(
    parts: {
      log: Log
      open: OpenDatabase
      generations: Generations
      marks: Marks
      findings: Findings
    },
    _options: { path: string },
  ) {
    this.#generations = parts.generations
    this.#marks = parts.marks
  }

  /** @returns what the store holds */
  async run(visit: (key: string, value: Uint8Array) => void, _again: () => void): Promise<Tally> {
    await this.#marks.start()
    await this.#generations.openLinked(await this.#generations.find())
    const { database } = this.#generations
    const format = database.readFormat()
    if (format === undefined) await database.writeFormat(FORMAT)
    else if (format > FORMAT) throw new RelayError('STORE_NEWER', 'newer')
    await passOver(database, { sound: visit, damaged: () => undefined })
    await this.#generations.settle()
    return database.readTally() ?? new Tally()
  }
}
