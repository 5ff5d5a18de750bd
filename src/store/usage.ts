/** How much of the disk a folder uses, and may use. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

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
