/** What lies in a store's folder: how much was ever written to it, and which payloads are there. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Adds up the files of a folder while they come and go. LevelDB never writes to a file again
 * under the same name once it is replaced, so the sum of the largest sizes seen is what it wrote.
 */
export class FileTally {
  readonly #folder: string
  readonly #largest = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: { readonly folder: string }) {
    this.#folder = options.folder
  }

  /** Looks at once, then each `everyMs`. */
  async start(everyMs: number): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look(), everyMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Bytes in all files ever seen. */
  get bytes(): number {
    let sum = 0
    for (const size of this.#largest.values()) sum += size
    return sum
  }

  async look(): Promise<void> {
    for (const file of await files(this.#folder)) {
      // A file may be gone by now.
      const { size, ino } = await stat(file).catch(() => ({ size: 0, ino: 0 }))
      const key = `${file} ${ino}`
      this.#largest.set(key, Math.max(size, this.#largest.get(key) ?? 0))
    }
  }
}

/** How many of the openings (see `opening` in test/load/pump.ts) stand in a folder's files. */
export async function countOpenings(
  folder: string,
  openings: ReadonlyMap<number, number>,
): Promise<number> {
  const found = new Set<number>()
  for (const file of await files(folder)) {
    const bytes = await readFile(file)
    for (let at = 0; at + 8 <= bytes.length; at++) {
      const first = bytes.readUInt32LE(at)
      if (openings.get(first) === bytes.readUInt32LE(at + 4)) found.add(first)
    }
  }
  return found.size
}

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
