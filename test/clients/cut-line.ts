/** A line between a client and the relay that a test cuts: TCP there and back, no MQTT. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

export class Line {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #target: number
  #isCut = false
  #isDeaf = false

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  stop(): void {
    this.cut()
    this.#server.close()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all connections, and each new one, until it is mended. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
    this.#isDeaf = false
  }

  /** From here on nothing that the relay says arrives, until the line is mended. */
  deafen(): void {
    this.#isDeaf = true
  }

  #join(client: Socket): void {
    if (this.#isCut) {
      client.destroy()
      return
    }
    const relay = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [client, relay],
      [relay, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay()
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => relay.write(chunk))
    relay.on('data', (chunk) => {
      if (!this.#isDeaf) client.write(chunk)
    })
  }
}

/** Lays a line to a port of the relay that is gone with the test. */
export async function layLine(t: Test, target: number): Promise<Line> {
  const line = new Line(target)
  await line.start()
  t.teardown(() => line.stop())
  return line
}
