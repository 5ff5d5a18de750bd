/** Reads a configuration file from disk. */
import { readFile, stat } from 'node:fs/promises'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'

/**
 * The content of a file, `undefined` where there is none.
 * @throws CONFIG_INVALID for what cannot be read, or is no file of at most `configBytesMax`
 */
export async function readText(path: string): Promise<string | undefined> {
  try {
    const facts = await stat(path)
    if (facts.isFile() && facts.size <= LIMITS.configBytesMax) return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    throw new RelayError('CONFIG_INVALID', `${path}: cannot be read (${code})`, { cause: error })
  }
  throw new RelayError(
    'CONFIG_INVALID',
    `${path}: only a file of at most ${LIMITS.configBytesMax} bytes is allowed`,
  )
}
