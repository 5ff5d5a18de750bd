/** One connection to the relay: TCP, or WebSocket, where each chunk is a frame of its own. */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { WebSocket } from 'ws'

export type Ports = { readonly mqtt: number; readonly http: number }

export interface Transport {
  /** `data` with a chunk; `over` when the relay has ended the connection. */
  readonly events: EventEmitter<{ data: [Buffer]; over: [] }>
  /** Resolves when the relay has taken the connection. @throws Error where it has not */
  open(): Promise<void>
  /** Hands bytes on and lets others have their turn. */
  send(chunk: Buffer): Promise<void>
  /** Says that no more will come. */
  end(): void
  /** Is gone without a word. */
  cut(): void
}

const HOST = '127.0.0.1'

export function transportOf(kind: 'tcp' | 'webSocket', ports: Ports, from: string): Transport {
  return kind === 'tcp' ? new Tcp(ports.mqtt, from) : new OverWebSocket(ports.http, from)
}

class Tcp implements Transport {
  readonly events: Transport['events'] = new EventEmitter()
  readonly #socket: Socket

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ host: HOST, port, localAddress, noDelay: true, allowHalfOpen: true })
    this.#socket.on('data', (chunk: Buffer) => this.events.emit('data', chunk))
    // 'close' always follows.
    this.#socket.on('error', () => undefined)
    for (const event of ['end', 'close']) this.#socket.on(event, () => this.events.emit('over'))
    this.#socket.on('end', () => this.#socket.end())
  }

  async open(): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
  }

  async send(chunk: Buffer): Promise<void> {
    if (this.#socket.writable) this.#socket.write(chunk)
    await setImmediate()
  }

  end(): void {
    this.#socket.end()
  }

  cut(): void {
    this.#socket.destroy()
  }
}

class OverWebSocket implements Transport {
  readonly events: Transport['events'] = new EventEmitter()
  readonly #socket: WebSocket

  constructor(port: number, localAddress: string) {
    const options = { localAddress, perMessageDeflate: false }
    this.#socket = new WebSocket(`ws://${HOST}:${port}/mqtt`, 'mqtt', options)
    this.#socket.binaryType = 'nodebuffer'
    this.#socket.on('message', (chunk: Buffer) => this.events.emit('data', chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.events.emit('over'))
  }

  async open(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) await once(this.#socket, 'open')
  }

  async send(chunk: Buffer): Promise<void> {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(chunk)
    await setImmediate()
  }

  end(): void {
    this.#socket.close()
  }

  cut(): void {
    this.#socket.terminate()
  }
}
