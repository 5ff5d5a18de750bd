/** The HTTP port: health, readiness, metrics, and the door to MQTT over WebSocket. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { SecureParts } from '../tls/secure.ts'
import { openDoor } from './door.ts'
import { type Figures, metricsText } from './metrics.ts'

export type HttpParts = {
  /** Takes a WebSocket connection for MQTT over. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Why the relay should get no work just now; empty when it is ready. */
  readonly reasonsNotReady: () => string[]
  readonly figures: () => Promise<Figures>
}

export type HttpServerParts = HttpParts & SecureParts & { readonly log: Log }

export class HttpServer {
  readonly #server: Server
  readonly #log: Log
  readonly #at: { host: string; port: number }

  constructor(parts: HttpServerParts, options: { host: string; port: number }) {
    this.#at = options
    this.#log = parts.log
    this.#server = createServer(
      { requestTimeout: LIMITS.httpRequestMsMax, headersTimeout: LIMITS.httpRequestMsMax },
      getRequestListener(routes(parts).fetch),
    )
    this.#server.maxConnections = LIMITS.connectionsMax
    openDoor(this.#server, parts)
    this.#server.on('upgrade', (request, socket, head) => {
      if (pathOf(request) === '/mqtt') parts.upgrade(request, socket, head)
      else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    })
  }

  async start(): Promise<void> {
    this.#server.listen(this.#at)
    await once(this.#server, 'listening')
    // No memory or no file for one more: those that are here go on.
    this.#server.on('error', (error) =>
      this.#log.warn({ error }, 'a connection could not be taken'),
    )
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  /** The port, also where 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }
}

/** The routes, apart from any server, so that tests can ask them directly. */
export function routes(parts: HttpParts): Hono {
  const app = new Hono()
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.get('/readyz', (context) => {
    const reasons = parts.reasonsNotReady()
    return context.json(
      { isReady: reasons.length === 0, reasons },
      reasons.length === 0 ? 200 : 503,
    )
  })
  app.get('/metrics', async (context) => {
    const text = metricsText(await parts.figures())
    return context.text(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  })
  app.notFound((context) => problem(404, `there is nothing at ${context.req.path}`))
  return app
}

/** A problem document (RFC 9457). */
function problem(status: number, detail: string): Response {
  const body = JSON.stringify({ type: 'about:blank', title: 'Not Found', status, detail })
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json' } })
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/'
}
