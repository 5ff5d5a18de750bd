/** Where clients come in: TCP, and WebSocket connections that the HTTP server hands over. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { type SecureParts, secure } from '../tls/secure.ts'
import { Lobby } from './lobby.ts'

/** What takes the connections: `Broker`. */
export interface ConnectionHandler<Source extends Duplex = Duplex> {
  handle(socket: Source, address: string): void
}

/** Probed after a minute of silence: a peer that is gone says nothing, whatever its keep alive. */
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }

/** MQTT over TCP. */
export class TcpListener {
  readonly #server: Server
  readonly #log: Log
  readonly #at: { host: string; port: number }

  constructor(
    parts: { handler: ConnectionHandler<Socket>; log: Log },
    options: { host: string; port: number },
  ) {
    this.#at = options
    this.#log = parts.log
    this.#server = createServer({ ...SOCKET, allowHalfOpen: true }, (socket) => {
      parts.handler.handle(socket, socket.remoteAddress ?? '')
    })
    this.#server.maxConnections = LIMITS.connectionsMax
  }

  async start(): Promise<void> {
    this.#server.listen(this.#at)
    await once(this.#server, 'listening')
    // No memory or no file for one more: those that are here go on.
    this.#server.on('error', (error) =>
      this.#log.warn({ error }, 'a connection could not be taken'),
    )
  }

  /** Takes no more; connections that are open are the broker's to end. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The port, also where 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }
}

/** MQTT over TLS (mqtts). */
export class TlsListener {
  readonly #tcp: TcpListener
  readonly #lobby = new Lobby()
  readonly #handshakes = new Set<Duplex>()

  constructor(
    parts: SecureParts & { handler: ConnectionHandler; log: Log },
    options: { host: string; port: number },
  ) {
    const handler = {
      handle: (socket: Socket, address: string) => {
        const secured = secure(parts, socket, () => {
          this.#handshakes.delete(secured)
          this.#lobby.leave(stranger)
          parts.handler.handle(secured, address)
        })
        const stranger = { address, disconnect: () => secured.destroy() }
        this.#handshakes.add(secured)
        this.#lobby.enter(stranger)
        secured.once('close', () => {
          this.#handshakes.delete(secured)
          this.#lobby.leave(stranger)
        })
      },
    }
    this.#tcp = new TcpListener({ handler, log: parts.log }, options)
  }

  start(): Promise<void> {
    return this.#tcp.start()
  }

  /** Takes no more, and ends the handshakes; what is open is the broker's to end. */
  async stop(): Promise<void> {
    const stopped = this.#tcp.stop()
    for (const socket of this.#handshakes) socket.destroy()
    await stopped
  }

  get port(): number {
    return this.#tcp.port
  }
}

/** MQTT over WebSocket, sub-protocol `mqtt` [MQTT-6.0.0-3]. */
export class WebSocketGate {
  readonly #handler: ConnectionHandler
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: LIMITS.packetBytesMax,
    // A compressed frame can unpack to any size.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  })

  constructor(parts: { handler: ConnectionHandler }) {
    this.#handler = parts.handler
  }

  /** Takes an HTTP upgrade over. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket)
      // Before the stream sees it [MQTT-6.0.0-1].
      webSocket.prependListener('message', (_bytes, isBinary) => {
        if (!isBinary) stream.destroy()
      })
      this.#handler.handle(stream, request.socket.remoteAddress ?? '')
    })
  }
}
