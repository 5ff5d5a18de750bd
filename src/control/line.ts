/** The frame of the admin socket: one line of JSON each way. */
import type { Socket } from 'node:net'
import { RelayError } from '../errors.ts'

const NEWLINE = 10

/**
 * The first line that comes, without its end; `undefined` when the other side goes before that.
 * @throws BAD_REQUEST for a line of more than `bytesMax` bytes, or one that is no UTF-8
 */
export function readLine(socket: Socket, bytesMax: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    const gone = () => settle(() => resolve(undefined))
    const take = (chunk: Buffer) => {
      const end = chunk.indexOf(NEWLINE)
      const part = end < 0 ? chunk : chunk.subarray(0, end)
      bytes += part.length
      if (bytes > bytesMax) {
        const says = `a line of at most ${bytesMax} bytes is allowed`
        settle(() => reject(new RelayError('BAD_REQUEST', says)))
        return
      }
      chunks.push(part)
      if (end >= 0) settle(() => decode(Buffer.concat(chunks), resolve, reject))
    }
    const settle = (finish: () => void) => {
      socket.off('data', take).off('end', gone).off('close', gone)
      // What comes after the line is not read, so that nobody can fill our memory with it.
      socket.pause()
      finish()
    }
    socket.on('data', take).on('end', gone).on('close', gone)
    // Its events may have passed already.
    if (socket.destroyed) gone()
  })
}

function decode(
  bytes: Uint8Array,
  resolve: (text: string) => void,
  reject: (error: Error) => void,
) {
  try {
    resolve(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    reject(new RelayError('BAD_REQUEST', 'the line is no UTF-8', { cause }))
  }
}
