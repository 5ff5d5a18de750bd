/**
 * Folders and files of the store: made for this user alone, never followed through a symbolic
 * link, linked instead of copied, and synced where a name has to survive.
 */
import { constants } from 'node:fs'
import { copyFile, link, lstat, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RelayError } from '../errors.ts'

/** The files of a LevelDB folder that hold anything. */
export const LEVEL_FILE = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/

/** LevelDB may delete a file between listing and linking; then the list is made anew. */
const LINK_TRIES_MAX = 5

/** Makes a folder that only this user can enter, where there is none. */
export async function ownFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await refuseForeign(path, 'folder')
}

/**
 * Refuses anything in place of a file or folder of the store that the store would not make.
 * Nothing there is fine.
 * @throws STORE_FAILED
 */
export async function refuseForeign(path: string, kind: 'folder' | 'file'): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (found === undefined) return
  if (kind === 'folder' ? found.isDirectory() : found.isFile()) return
  throw new RelayError(
    'STORE_FAILED',
    `${path} is not a ${kind} but something else (a link?); move it away, or point data_dir elsewhere`,
  )
}

/** Whether there is a file with anything in it. */
export async function isFilled(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  return found !== undefined && found.size > 0
}

/** Makes folder `to` with links to all LevelDB files of `from`; copies where links cannot be made. */
export async function linkFolder(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await rm(to, { recursive: true, force: true })
    await mkdir(to, { mode: 0o700 })
    try {
      for (const name of await levelFiles(from)) await linkFile(join(from, name), join(to, name))
      await syncFolder(to)
      return
    } catch (error) {
      if (tries >= LINK_TRIES_MAX || !isCode(error, 'ENOENT')) throw error
    }
  }
}

export async function levelFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.filter((name) => LEVEL_FILE.test(name)).sort()
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // FAT has no links.
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK')) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await syncFolder(to)
  }
}

/** Makes the names in a folder (or the bytes of a file) survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
