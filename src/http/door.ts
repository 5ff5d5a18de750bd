/**
 * TLS on the port of plain HTTP, so that `https` and `wss` need no port of their own: what begins
 * with a TLS handshake cannot be HTTP.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { LIMITS } from '../limits.ts'
import { type SecureParts, secure } from '../tls/secure.ts'

/** Content type of a TLS record that holds a handshake (RFC 8446, 5.1). */
const HANDSHAKE = 22

/** Puts the door in front of a server that does not listen yet. */
export function openDoor(server: Server, parts: SecureParts): void {
  const [takePlain] = server.listeners('connection')
  server.removeAllListeners('connection')
  const take = (socket: Socket) => void takePlain?.call(server, socket)
  server.on('connection', (socket: Socket) => {
    const cancel = parts.clock.after(LIMITS.httpRequestMsMax, () => socket.destroy())
    socket.once('close', cancel)
    socket.on('error', () => socket.destroy())
    socket.once('readable', () => {
      cancel()
      const first: Buffer | null = socket.read()
      if (first === null) {
        socket.destroy()
        return
      }
      socket.unshift(first)
      if (first[0] === HANDSHAKE) secure(parts, socket, take)
      else take(socket)
    })
  })
}
