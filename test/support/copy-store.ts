/** The folder of a store in use, as a killed process would leave it. */
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { basename } from 'node:path'

const TRIES_MAX = 20

/**
 * Copies the store in `from` to `to`, but for its lock. LevelDB replaces files from a thread of its
 * own; a copy made across such a moment is one that no crash could leave, and is made again.
 */
export function copyStore(from: string, to: string): void {
  for (let tries = 1; ; tries += 1) {
    const before = namesIn(from)
    rmSync(to, { recursive: true, force: true })
    try {
      cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== 'lock' })
      if (namesIn(from) === before) return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
    if (tries >= TRIES_MAX) throw new Error(`${from} does not come to rest`)
  }
}

function namesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().join('\n')
}
