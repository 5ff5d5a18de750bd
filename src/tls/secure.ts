/** The TLS handshake on a socket that a listener has taken. */
import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'

export type SecureParts = {
  readonly clock: Clock
  readonly certificates: { readonly context: SecureContext }
}

/**
 * Calls `done` with what to talk through once the handshake is over. A socket that fails it, or
 * does not come to its end within `connectMsMax`, is closed and nobody is told.
 * @returns what ends the socket when it is destroyed, also before the handshake is over
 */
export function secure(
  parts: SecureParts,
  socket: Socket,
  done: (secured: TLSSocket) => void,
): TLSSocket {
  const secureContext = parts.certificates.context
  const secured = new TLSSocket(socket, { isServer: true, secureContext })
  const cancel = parts.clock.after(LIMITS.connectMsMax, () => secured.destroy())
  for (const side of [socket, secured]) side.on('error', () => secured.destroy())
  const end = () => secured.destroy()
  secured.once('close', cancel)
  // Who has no more to say before the handshake is over will never finish it.
  secured.once('end', end)
  secured.once('secure', () => {
    cancel()
    secured.off('end', end)
    done(secured)
  })
  return secured
}
