/**
 * A small file beside LevelDB that says how far the store had come, so that a store which lost
 * its newest commits is noticed. Two places are written in turn, each `CRC-32 as 8 hex digits ·
 * JSON · line feed`; a machine that stops while one is written still has the other. A mark is
 * written after its commit is on disk and is itself not synced: it may lag behind the store, and
 * is never ahead of it.
 */
import assert from 'node:assert/strict'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Log } from '../log.ts'
import { parseTally, type Tally } from './tally.ts'

/** One disk page a place, so that writing one never touches the other. */
const PLACE_BYTES = 4096
const SUM_DIGITS = 8

export type Mark = { readonly turn: number; readonly isClean: boolean; readonly tally: Tally }

export type MarksFound = {
  readonly newest: Mark | undefined
  /** Whether there is a file at all. */
  readonly isThere: boolean
  /** Places that hold something else than a mark. */
  readonly damaged: number
}

export class Marks {
  readonly #log: Log
  readonly #path: string
  #file: FileHandle | undefined
  #turn = 0
  #next: Mark | undefined
  #writing: Promise<void> | undefined

  constructor(parts: { log: Log }, options: { path: string }) {
    this.#log = parts.log
    this.#path = options.path
  }

  /** Reads what the last run left, and opens the file for this one. */
  async start(): Promise<MarksFound> {
    const bytes = await readFile(this.#path).catch(() => undefined)
    const found = readMarks(bytes ?? Buffer.alloc(0))
    this.#turn = found.newest?.turn ?? 0
    this.#file = await open(this.#path, bytes === undefined ? 'w+' : 'r+', 0o600)
    // With both places there, a mark can be written on a full disk.
    if (bytes === undefined || bytes.length < 2 * PLACE_BYTES)
      await this.#file.truncate(2 * PLACE_BYTES)
    return { ...found, isThere: bytes !== undefined }
  }

  /** Notes a commit that is on disk. Of several that come faster than the disk, the last counts. */
  note(tally: Tally): void {
    this.#turn += 1
    this.#next = { turn: this.#turn, isClean: false, tally }
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    for (let mark = this.#next; mark !== undefined; mark = this.#next) {
      this.#next = undefined
      await this.#writeMark(mark)
    }
    this.#writing = undefined
  }

  async #writeMark(mark: Mark): Promise<void> {
    const bytes = encodeMark(mark)
    try {
      await this.#file?.write(bytes, 0, bytes.length, (mark.turn % 2) * PLACE_BYTES)
    } catch (error) {
      // A mark that lags is no loss: the next one that is written catches up.
      this.#log.debug({ error }, 'a mark could not be written')
    }
  }

  /** Writes that the store was closed in order with this tally, and closes the file. */
  async stop(tally: Tally | undefined): Promise<void> {
    await this.#writing
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    if (tally !== undefined) {
      const bytes = encodeMark({ turn: this.#turn + 1, isClean: true, tally })
      await file.write(bytes, 0, bytes.length, ((this.#turn + 1) % 2) * PLACE_BYTES)
      await file.sync()
    }
    await file.close()
  }
}

function encodeMark({ turn, isClean, tally }: Mark): Buffer {
  const body = Buffer.alloc(PLACE_BYTES - SUM_DIGITS)
  const text = `${JSON.stringify([turn, isClean, tally.toString()])}\n`
  assert(text.length <= body.length, 'the tables of keys.ts fit into a mark')
  body.write(text)
  const sum = crc32(body).toString(16).padStart(SUM_DIGITS, '0')
  return Buffer.concat([Buffer.from(sum), body])
}

/** The marks in the bytes of a file. A place full of zeros was never written. */
export function readMarks(bytes: Buffer): Omit<MarksFound, 'isThere'> {
  let newest: Mark | undefined
  let damaged = 0
  for (const at of [0, PLACE_BYTES]) {
    const place = bytes.subarray(at, at + PLACE_BYTES)
    if (place.every((byte) => byte === 0)) continue
    const mark = parseMark(place)
    if (mark === undefined) damaged += 1
    else if (newest === undefined || mark.turn > newest.turn) newest = mark
  }
  return { newest, damaged }
}

function parseMark(place: Buffer): Mark | undefined {
  const sum = place.subarray(0, SUM_DIGITS).toString('latin1')
  const body = place.subarray(SUM_DIGITS)
  if (crc32(body).toString(16).padStart(SUM_DIGITS, '0') !== sum) return undefined
  const text = body.toString('utf8', 0, body.indexOf('\n'))
  const [turn, isClean, counts] = JSON.parse(text) as [number, boolean, string]
  const tally = parseTally(counts)
  return tally === undefined ? undefined : { turn, isClean, tally }
}
