/** An ordinary MQTT client (MQTT.js) that collects what arrives; everything waits for events. */
import { EventEmitter, once } from 'node:events'
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import type { TestRelay } from './relay.ts'

/** A PUBLISH that has arrived. */
export type Arrival = {
  readonly topic: string
  readonly text: string
  readonly payload: Buffer
  readonly qos: number
  readonly isRetained: boolean
  readonly isDuplicate: boolean
  readonly userProperties: Record<string, string | string[]>
  readonly properties: object
}

export type ClientOptions = IClientOptions & {
  /** Over WebSocket instead of TCP. */
  readonly isWebSocket?: boolean
}

export class TestClient {
  readonly mqtt: MqttClient
  readonly arrivals: Arrival[] = []
  /** The client id that the relay has chosen; MQTT 5 only. */
  assignedId = ''
  isResumed = false
  readonly #events = new EventEmitter()

  constructor(client: MqttClient) {
    this.mqtt = client
    // What fails is seen in the promise that waits for it.
    client.on('error', () => undefined)
    client.on('connect', ({ properties, sessionPresent }) => {
      this.assignedId = properties?.assignedClientIdentifier ?? ''
      this.isResumed = sessionPresent
    })
    client.on('message', (topic, payload, packet) => {
      this.arrivals.push({
        topic,
        text: payload.toString(),
        payload,
        qos: packet.qos,
        isRetained: packet.retain,
        isDuplicate: packet.dup,
        userProperties: (packet.properties?.userProperties ?? {}) as Record<string, string>,
        properties: packet.properties ?? {},
      })
      this.#events.emit('arrival')
    })
  }

  /** The texts that have arrived, in order. */
  get texts(): string[] {
    return this.arrivals.map(({ text }) => text)
  }

  /** Subscribes; returns the granted QoS or the refusal code of each filter. */
  async subscribe(filters: string | string[], qos: 0 | 1 | 2 = 1): Promise<number[]> {
    const packet = await new Promise<{ granted?: unknown }>((resolve, reject) => {
      this.mqtt.subscribe(filters, { qos }, (error, _grants, suback) => {
        if (suback !== undefined) resolve(suback)
        else reject(error ?? new Error('no SUBACK'))
      })
    })
    return packet.granted as number[]
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.mqtt.unsubscribeAsync(filter)
  }

  /** Publishes, QoS 1 where nothing else is said; resolves with the acknowledgement. */
  async publish(
    topic: string,
    text: string | Buffer,
    options: IClientPublishOptions = {},
  ): Promise<void> {
    await this.mqtt.publishAsync(topic, text, { qos: 1, ...options })
  }

  /** Publishes; resolves with the MQTT 5 reason code of the acknowledgement. */
  async publishForReason(
    topic: string,
    text: string | Buffer,
    options: IClientPublishOptions = {},
  ): Promise<number> {
    try {
      await this.publish(topic, text, options)
      return 0
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (typeof code === 'number') return code
      throw error
    }
  }

  /** Waits until `count` messages in all have arrived; returns all. */
  async received(count: number): Promise<Arrival[]> {
    return await this.until(() => this.arrivals.length >= count)
  }

  /** Waits until what has arrived is enough; returns all. */
  async until(isEnough: (arrivals: readonly Arrival[]) => boolean): Promise<Arrival[]> {
    while (!isEnough(this.arrivals)) await once(this.#events, 'arrival')
    return this.arrivals
  }

  /**
   * Makes sure that everything the relay has sent so far has arrived: a ping goes there and back
   * on the same connection.
   */
  async settled(): Promise<void> {
    const back = new Promise<void>((resolve) => {
      const look = ({ cmd }: { cmd: string }) => {
        if (cmd !== 'pingresp') return
        this.mqtt.off('packetreceive', look)
        resolve()
      }
      this.mqtt.on('packetreceive', look)
    })
    this.mqtt.sendPing()
    await back
  }

  #closing(): Promise<void> {
    return new Promise((resolve) => this.mqtt.once('close', () => resolve()))
  }

  /** Says goodbye. */
  async end(): Promise<void> {
    await this.mqtt.endAsync()
  }

  /** Is gone without a word. */
  async drop(): Promise<void> {
    const closed = this.#closing()
    this.mqtt.stream.destroy()
    await closed
  }

  /** Resolves when the relay has ended the connection. */
  async closed(): Promise<void> {
    if (this.mqtt.connected) await this.#closing()
  }
}

/** Connects a client that is gone with the test, and does not reconnect by itself. */
export async function connect(
  t: Test,
  relay: TestRelay,
  user: { name?: string; password?: string },
  options: ClientOptions = {},
): Promise<TestClient> {
  const client = begin(t, relay, user, options)
  await new Promise<void>((resolve, reject) => {
    client.mqtt.once('connect', () => resolve())
    client.mqtt.once('error', reject)
    client.mqtt.once('close', () => reject(new Error('closed before CONNACK')))
  })
  return client
}

/** Like `connect`, without waiting for CONNACK. */
export function begin(
  t: Test,
  relay: TestRelay,
  user: { name?: string; password?: string },
  { isWebSocket = false, ...options }: ClientOptions = {},
): TestClient {
  const client = new TestClient(
    mqtt.connect(isWebSocket ? relay.webSocketUrl : relay.mqttUrl, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      ...(user.name === undefined ? {} : { username: user.name }),
      ...(user.password === undefined ? {} : { password: user.password }),
      ...options,
    }),
  )
  t.teardown(() => client.mqtt.end(true))
  return client
}

/** Options of a client whose session the relay keeps. */
export const PERSISTENT_5 = {
  protocolVersion: 5,
  clean: false,
  properties: { sessionExpiryInterval: 3_600 },
} as const satisfies ClientOptions

export const PERSISTENT_4 = { protocolVersion: 4, clean: false } as const satisfies ClientOptions

/** What a receipt says. */
export function receipts(arrivals: readonly Arrival[]): { status: string; device?: string }[] {
  return arrivals
    .filter(({ topic }) => topic.split('/')[2] === 'receipts')
    .map(({ text }) => JSON.parse(text) as { status: string; device?: string })
}
