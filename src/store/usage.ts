/** How much of the disk a folder uses, and may use. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'

export type Usage = { readonly usedBytes: number; readonly maxBytes: number }

/**
 * @param bytesMax what the operator allows; the bound is what the disk has where that is less
 */
export async function diskUsage(folder: string, bytesMax: number): Promise<Usage> {
  const usedBytes = await folderBytes(folder)
  const { bavail, bsize } = await statfs(folder)
  return { usedBytes, maxBytes: Math.min(bytesMax, usedBytes + bavail * bsize) }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += await folderBytes(path)
    // Files come and go while LevelDB works.
    else if (entry.isFile())
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      )
  }
  return bytes
}

/** Looks now and then whether a folder has outgrown what the operator allows. */
export class DiskGauge {
  readonly #clock: Clock
  readonly #folder: string
  readonly #bytesMax: number
  #cancel: () => void = () => undefined
  #round: Promise<void> = Promise.resolve()
  #isRunning = false
  #isOver = false

  /** @param options.bytesMax Infinity where there is no bound but the disk; then nothing is read */
  constructor(parts: { clock: Clock }, options: { folder: string; bytesMax: number }) {
    this.#clock = parts.clock
    this.#folder = options.folder
    this.#bytesMax = options.bytesMax
  }

  /** Whether new messages have to wait until some have been delivered. */
  get isOver(): boolean {
    return this.#isOver
  }

  async start(): Promise<void> {
    if (this.#isRunning || this.#bytesMax === Number.POSITIVE_INFINITY) return
    this.#isRunning = true
    await this.look()
    this.#plan()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel()
    await this.#round
  }

  /** Looks once. */
  async look(): Promise<void> {
    this.#isOver = (await folderBytes(this.#folder)) >= this.#bytesMax
  }

  #plan(): void {
    if (!this.#isRunning) return
    this.#cancel = this.#clock.after(LIMITS.diskLookMs, () => {
      this.#round = this.look().then(() => this.#plan())
    })
  }
}
