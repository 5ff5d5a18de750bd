/** Where a relay's admin socket is: `control.sock` in its data directory. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

const SOCKET_NAME = 'control.sock'

/** unix(7): sun_path has 108 bytes, and the last one ends the text. */
const PATH_BYTES_MAX = 107

export type SocketPlace = {
  /** Short enough to bind and to connect to; good until `close`. */
  readonly path: string
  close(): Promise<void>
}

/**
 * The place of the socket of a data directory, however long the directory's name is.
 * @throws the error of the file system where a long directory cannot be opened
 */
export async function socketPlace(dataDir: string): Promise<SocketPlace> {
  const path = join(dataDir, SOCKET_NAME)
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return { path, close: () => Promise.resolve() }
  const directory = await open(dataDir, constants.O_RDONLY | constants.O_DIRECTORY)
  return {
    path: `/proc/self/fd/${directory.fd}/${SOCKET_NAME}`,
    close: () => directory.close(),
  }
}
