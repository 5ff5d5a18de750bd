/** How much of the disk a folder takes, and how long until that is little again. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const BLOCK_BYTES = 512
/** Nobody tells when a file shrinks, so it is looked at so often. */
const LOOK_MS = 200

/** Bytes of the blocks below a folder, as `du` counts them: a file with two names counts once. */
export async function allocatedBytes(folder: string): Promise<number> {
  const blocks = new Map<number, number>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // Files come and go while the relay works.
    const stats = await lstat(join(entry.parentPath, entry.name)).catch(() => undefined)
    if (stats !== undefined) blocks.set(stats.ino, stats.blocks)
  }
  let sum = 0
  for (const count of blocks.values()) sum += count
  return sum * BLOCK_BYTES
}

/**
 * Waits until a folder takes no more than `bytesMax`, `msMax` at most.
 * @returns how long that took; nothing where it never was so
 */
export async function msUntilSize(
  folder: string,
  bytesMax: number,
  msMax: number,
): Promise<number | undefined> {
  const startedMs = performance.now()
  for (;;) {
    const isSmall = (await allocatedBytes(folder)) <= bytesMax
    const ms = performance.now() - startedMs
    if (isSmall) return ms
    if (ms > msMax) return undefined
    await delay(LOOK_MS)
  }
}
