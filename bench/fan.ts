/**
 * One publisher and many readers of an ordinary topic, on the side of the load: a closed loop, in
 * which the next message goes out when earlier ones have arrived, with QoS 0 as well.
 */
import mqttPacket from 'mqtt-packet'
import type { Address, Credential } from '../test/drill/broker.ts'
import { LoadClient } from '../test/load/load-client.ts'
import type { SeededRandom } from '../test/load/random.ts'

export type FanOptions = {
  readonly address: Address
  readonly publisher: Credential
  readonly topic: string
  /** One reader each. */
  readonly readers: readonly Credential[]
  readonly qos: 0 | 1
  readonly payloadBytes: number
  /** Messages on their way, each to all readers. */
  readonly window: number
}

const PACKET_IDS = 0xffff

export class Fan {
  readonly #options: FanOptions
  readonly #frame: Buffer
  readonly #packetIdAt: number
  readonly #clients: LoadClient[] = []
  #publisher: LoadClient | undefined
  #isRunning = false
  #sent = 0
  #arrivals = 0
  #drained: (() => void) | undefined

  constructor(parts: { random: SeededRandom }, options: FanOptions) {
    this.#options = options
    const { topic, qos, payloadBytes } = options
    const payload = parts.random.bytes(payloadBytes)
    const publish = { topic, qos, payload, messageId: 1, dup: false, retain: false } as const
    this.#frame = mqttPacket.generate({ cmd: 'publish', ...publish })
    this.#packetIdAt = this.#frame.length - payloadBytes - 2
  }

  /** Deliveries so far. */
  get arrivals(): number {
    return this.#arrivals
  }

  async connect(): Promise<void> {
    const { publisher, readers, topic, qos } = this.#options
    for (const [index, reader] of readers.entries()) {
      const client = this.#client(reader, `reader-${index}`, () => this.#arrived())
      await client.connect()
      await client.subscribe(topic, qos)
    }
    this.#publisher = this.#client(publisher, 'publisher')
    await this.#publisher.connect()
  }

  start(): void {
    this.#isRunning = true
    this.#fill()
  }

  /** Sends no more; resolves when all have arrived. */
  stop(): Promise<void> {
    this.#isRunning = false
    if (this.#onTheWay === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  async leave(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.disconnect()))
  }

  get #onTheWay(): number {
    return this.#sent * this.#options.readers.length - this.#arrivals
  }

  #arrived(): void {
    this.#arrivals += 1
    if (this.#isRunning) this.#fill()
    else if (this.#onTheWay === 0) this.#drained?.()
  }

  #fill(): void {
    const { window, readers, qos } = this.#options
    while (this.#onTheWay <= (window - 1) * readers.length) {
      if (qos > 0) this.#frame.writeUInt16BE((this.#sent % PACKET_IDS) + 1, this.#packetIdAt)
      this.#sent += 1
      this.#publisher?.send(this.#frame)
    }
  }

  #client(user: Credential, clientId: string, arrived?: () => void): LoadClient {
    const { name: username, password } = user
    const client = new LoadClient(
      { events: arrived === undefined ? {} : { arrived } },
      { ...this.#options.address, version: 4, clientId, username, password, clean: true },
    )
    this.#clients.push(client)
    return client
  }
}
