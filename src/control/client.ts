/** The command line's side of the admin socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { ERRORS, type ErrorCode, RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { readLine } from './line.ts'
import { socketPlace } from './place.ts'
import type { Answer } from './server.ts'

/**
 * Connects to the relay that runs on a data directory.
 * @throws RELAY_UNREACHABLE when none does
 * @throws NOT_AUTHORIZED when the socket belongs to somebody else
 */
export async function reachRelay(dataDir: string): Promise<Socket> {
  try {
    const place = await socketPlace(dataDir)
    try {
      const socket = connect(place.path)
      await once(socket, 'connect')
      // From here on an error ends in `close`, and that in a missing answer.
      return socket.on('error', () => undefined)
    } finally {
      await place.close()
    }
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code
    if (why === 'EACCES' || why === 'EPERM') {
      const says = `the relay on ${dataDir} runs as another user: run this as that user, or as root`
      throw new RelayError('NOT_AUTHORIZED', says, { cause })
    }
    const says = `no relay runs on ${dataDir} (${why}): start one with run, or give its --data-dir`
    throw new RelayError('RELAY_UNREACHABLE', says, { cause })
  }
}

/**
 * Asks a relay for one operation, and ends the connection.
 * @returns the operation's result
 * @throws the code that the relay refuses with
 * @throws RELAY_UNREACHABLE when it gives no whole answer within `controlAnswerMsMax`
 */
export async function askRelay(
  socket: Socket,
  request: { readonly op: string; readonly input: unknown },
  clock: Clock,
): Promise<unknown> {
  const cancel = clock.after(LIMITS.controlAnswerMsMax, () => socket.destroy())
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    const answer = answerOf(await readLine(socket, LIMITS.controlAnswerBytesMax))
    if (answer.ok) return answer.result
    throw new RelayError(codeOf(answer.error.code), answer.error.message)
  } finally {
    cancel()
    socket.destroy()
  }
}

function answerOf(line: string | undefined): Answer {
  if (line === undefined) {
    const says = 'the relay gave no answer: look whether it was done before you ask again'
    throw new RelayError('RELAY_UNREACHABLE', says)
  }
  try {
    return JSON.parse(line) as Answer
  } catch (cause) {
    throw new RelayError('PROTOCOL_ERROR', 'what listens there is no relay', { cause })
  }
}

/** A relay of another version may refuse with a code that is not known here. */
function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'PROTOCOL_ERROR'
}
