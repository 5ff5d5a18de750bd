/**
 * A client on a microcontroller: MQTT 3.1.1, its packets made by mqtt-packet, a socket that gives it
 * a few bytes at a time, and, where asked for, sends them one by one.
 */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import mqttPacket, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import type { Test } from 'tap'
import type { TestRelay } from '../support/relay.ts'

export type SmallOptions = {
  readonly clientId: string
  readonly user: { readonly name: string; readonly password: string }
  readonly keepaliveS: number
  readonly will: { readonly topic: string; readonly payload: string; readonly qos: 0 | 1 }
  /** How many bytes a read takes from the socket. */
  readonly readBytes?: number
  /** Whether each byte goes out on its own. */
  readonly dribbles?: boolean
}

export class SmallClient {
  readonly socket: Socket
  readonly packets: Packet[] = []
  isClosed = false
  readonly #events = new EventEmitter()
  readonly #options: SmallOptions
  #isSent: Promise<void> = Promise.resolve()
  #lastId = 0

  constructor(port: number, options: SmallOptions) {
    this.#options = options
    const parser = mqttPacket.parser({ protocolVersion: 4 })
    parser.on('packet', (packet) => {
      this.packets.push(packet)
      this.#events.emit('change')
    })
    const buffer = Buffer.alloc(options.readBytes ?? 64)
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (bytes) => {
          parser.parse(Buffer.from(buffer.subarray(0, bytes)))
          return true
        },
      },
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.isClosed = true
      this.#events.emit('change')
    })
    this.#events.setMaxListeners(0)
  }

  get messages(): IPublishPacket[] {
    return this.packets.filter((packet) => packet.cmd === 'publish')
  }

  get texts(): string[] {
    return this.messages.map(({ topic, payload }) => `${topic} ${payload}`)
  }

  /** Sends packets, in one write or byte by byte. */
  async send(...packets: Packet[]): Promise<void> {
    const bytes = Buffer.concat(packets.map((packet) => mqttPacket.generate(packet)))
    const pieces = this.#options.dribbles === true ? [...bytes].map((b) => Buffer.of(b)) : [bytes]
    this.#isSent = this.#isSent.then(async () => {
      for (const piece of pieces) {
        await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()))
      }
    })
    await this.#isSent
  }

  /** Signs in; returns the code of CONNACK. */
  async connect(): Promise<number | undefined> {
    const { clientId, user, keepaliveS, will } = this.#options
    const packet: IConnectPacket = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive: keepaliveS,
      username: user.name,
      password: Buffer.from(user.password),
      will: { ...will, payload: Buffer.from(will.payload), retain: true },
    }
    await this.send(packet)
    const connack = await this.until('connack', 1)
    return connack.cmd === 'connack' ? connack.returnCode : undefined
  }

  /** Publishes with QoS 0, as these firmwares do. */
  async publish(topic: string, payload: string, retain = false): Promise<void> {
    await this.send(this.publishPacket(topic, payload, retain))
  }

  publishPacket(topic: string, payload: string, retain = false): Packet {
    return { cmd: 'publish', topic, payload, retain, qos: 0, dup: false }
  }

  subscribePacket(topic: string): Packet {
    this.#lastId += 1
    return { cmd: 'subscribe', messageId: this.#lastId, subscriptions: [{ topic, qos: 0 }] }
  }

  /** Waits for so many packets of a kind in all; returns the last of them. */
  async until(cmd: Packet['cmd'], count: number): Promise<Packet> {
    for (;;) {
      const found = this.packets.filter((packet) => packet.cmd === cmd)[count - 1]
      if (found !== undefined) return found
      if (this.isClosed) throw new Error('the connection was closed')
      await once(this.#events, 'change')
    }
  }

  /** Resolves when the relay has ended the connection. */
  async closed(): Promise<void> {
    while (!this.isClosed) await once(this.#events, 'change')
  }

  /** Is gone without a word. */
  drop(): void {
    this.socket.destroy()
  }
}

/** Makes a client, not signed in yet, that is gone with the test. */
export function makeSmall(t: Test, relay: TestRelay, options: SmallOptions): SmallClient {
  const client = new SmallClient(relay.mqttPort, options)
  t.teardown(() => client.drop())
  return client
}
