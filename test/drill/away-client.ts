/**
 * An ordinary client (MQTT.js) with a session that the relay keeps. It subscribes once in its
 * life; after that it relies on its session, and on MQTT.js, which sends again what was not
 * acknowledged.
 */
import { finished } from 'node:stream/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { PERSISTENT_4, PERSISTENT_5, TestClient } from '../support/client.ts'
import type { Address } from './broker.ts'

export type AwayClientOptions = {
  readonly user: string
  readonly clientId: string
  readonly password: string
  readonly version: 4 | 5
}

export class AwayClient {
  readonly mqtt: MqttClient
  readonly #client: TestClient
  #connection = 0

  constructor({ user, clientId, password, version }: AwayClientOptions) {
    this.mqtt = mqtt.connect({
      ...(version === 5 ? PERSISTENT_5 : PERSISTENT_4),
      protocol: 'mqtt',
      clientId,
      username: user,
      password,
      manualConnect: true,
      // A relay that starts again has another port, so it is connected to when that is known.
      reconnectPeriod: 0,
    })
    this.#client = new TestClient(this.mqtt)
  }

  /** Which connection this is, counted from 1. */
  get connection(): number {
    return this.#connection
  }

  /** Begins to connect; whether that succeeds is seen by what comes. */
  connect({ host, port }: Address): void {
    this.#connection++
    Object.assign(this.mqtt.options, { hostname: host, port })
    this.mqtt.connect()
  }

  /** Resolves at SUBACK. @throws Error where it is refused or the connection ends first */
  async subscribe(filter: string): Promise<void> {
    const [granted] = await this.#client.subscribe(filter, 1)
    if (granted !== 1) throw new Error(`the relay granted ${granted} for ${filter}`)
  }

  /** Resolves when the relay has answered a ping: all that it had sent before has come. */
  async settled(): Promise<void> {
    await this.#client.settled()
  }

  /** Says DISCONNECT and resolves when the connection is closed. */
  async disconnect(): Promise<void> {
    await this.#client.end()
  }

  /** Resolves when the connection is closed and all that came before is read. */
  async closed(): Promise<void> {
    await finished(this.mqtt.stream).catch(() => undefined)
  }

  /** Cuts the connection at once, if there is one. */
  drop(): void {
    if (this.#connection > 0) this.mqtt.end(true)
  }
}
