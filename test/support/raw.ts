/** A client of raw bytes, for what no honest client sends. */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import mqttPacket, { type Packet } from 'mqtt-packet'
import type { Test } from 'tap'
import { Framer } from '../../src/broker/framer.ts'
import type { TestRelay } from './relay.ts'

export class RawClient {
  readonly socket: Socket
  readonly frames: Buffer[] = []
  readonly #changes = new EventEmitter()
  readonly #framer = new Framer(Number.POSITIVE_INFINITY)
  readonly #version: 4 | 5

  constructor(socket: Socket, version: 4 | 5) {
    this.socket = socket
    this.#version = version
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      this.#framer.push(chunk)
      for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) {
        this.frames.push(frame.bytes)
      }
      this.#changes.emit('change')
    })
    for (const event of ['end', 'close']) socket.on(event, () => this.#changes.emit('change'))
  }

  /** The bytes of packets in a row. */
  bytesOf(...packets: Packet[]): Buffer {
    const options = { protocolVersion: this.#version }
    return Buffer.concat(packets.map((packet) => mqttPacket.generate(packet, options)))
  }

  send(...packets: Packet[]): void {
    this.socket.write(this.bytesOf(...packets))
  }

  /** Waits for the next packet of a type, numbers as on the wire; takes it and all before it. */
  async next(type: number): Promise<Buffer> {
    for (;;) {
      const at = this.frames.findIndex((frame) => (frame[0] ?? 0) >> 4 === type)
      const found = this.frames[at]
      if (found !== undefined) {
        this.frames.splice(0, at + 1)
        return found
      }
      if (this.socket.closed) throw new Error('the connection was closed')
      await once(this.#changes, 'change')
    }
  }

  /** Resolves with the next thing that happens: bytes, or an end. */
  async change(): Promise<void> {
    await once(this.#changes, 'change')
  }

  /** Resolves when the relay has ended its side. */
  async ended(): Promise<void> {
    while (!this.socket.readableEnded && !this.socket.closed) await once(this.#changes, 'change')
  }
}

export type RawOptions = {
  readonly version?: 4 | 5
  readonly clientId?: string
  readonly clean?: boolean
  readonly keepalive?: number
  /** Whether to keep the own side open when the relay ends its. */
  readonly allowHalfOpen?: boolean
}

/** Opens a socket to the relay that is gone with the test. */
export async function open(
  t: Test,
  relay: Pick<TestRelay, 'mqttPort'>,
  { version = 4, allowHalfOpen = false }: RawOptions = {},
): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port: relay.mqttPort, allowHalfOpen, noDelay: true })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return new RawClient(socket, version)
}

/** A CONNECT of a user. */
export function connectPacket(
  user: { name: string; password: string },
  { version = 4, clientId = 'raw', clean = true, keepalive = 0 }: RawOptions = {},
): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId,
    clean,
    keepalive,
    username: user.name,
    password: Buffer.from(user.password),
  }
}

/** Opens a socket and signs in. */
export async function signIn(
  t: Test,
  relay: Pick<TestRelay, 'mqttPort'>,
  user: { name: string; password: string },
  options: RawOptions = {},
): Promise<RawClient> {
  const client = await open(t, relay, options)
  client.send(connectPacket(user, options))
  await client.next(2)
  return client
}
