/** The few things that the store asks of the disk itself, as an argument, so that tests can fill it. */
import { open, rename, rm, statfs } from 'node:fs/promises'

export type DiskSpace = { readonly freeBytes: number; readonly totalBytes: number }

export interface Disk {
  /** Space on the file system that holds `path`, as far as this process may use it. */
  space(path: string): Promise<DiskSpace>
  /** Makes a file whose bytes are really allocated; all of them or none. */
  allocate(path: string, bytes: number): Promise<void>
  /** Deletes a file; not there is fine. */
  free(path: string): Promise<void>
}

const CHUNK_BYTES = 256 * 1024

/** The machine's own disk. */
export const systemDisk: Disk = {
  async space(path) {
    const { bavail, bsize, blocks } = await statfs(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  },

  async allocate(path, bytes) {
    const unfinished = `${path}.new`
    try {
      await writeNoise(unfinished, bytes)
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  },

  async free(path) {
    await rm(path, { force: true })
  },
}

async function writeNoise(path: string, bytes: number): Promise<void> {
  // Zeros would take no space where the file system compresses or leaves holes.
  const chunk = Buffer.alloc(CHUNK_BYTES, 'this space is kept free for deliveries. ')
  const file = await open(path, 'w', 0o600)
  try {
    for (let left = bytes; left > 0; left -= CHUNK_BYTES) {
      await file.write(chunk, 0, Math.min(left, CHUNK_BYTES))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}
