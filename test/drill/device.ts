/** A recipient's device: connects, subscribes to its inbox, and notes what arrives. */
import { LoadClient, type Session } from '../load/load-client.ts'
import type { Address } from './broker.ts'
import { type DeviceRole, deviceKey, isExactlyOnce } from './cast.ts'
import type { Ledger } from './ledger.ts'
import { payloadOf, readTopic } from './mail.ts'

export type DeviceOptions = DeviceRole & { readonly password: string }

export class Device {
  readonly key: string
  readonly #ledger: Ledger
  readonly #options: DeviceOptions
  readonly #session: Session = { received: new Set() }
  #client: LoadClient | undefined
  #connection = 0

  constructor(parts: { ledger: Ledger }, options: DeviceOptions) {
    this.key = deviceKey(options)
    this.#ledger = parts.ledger
    this.#options = options
  }

  get role(): DeviceRole {
    return this.#options
  }

  /** Resolves at SUBACK; mail may arrive before. @throws Error */
  async connect(address: Address): Promise<void> {
    const { user, clientId, version, clean, qos, password } = this.#options
    const connection = ++this.#connection
    const client = new LoadClient(
      {
        events: {
          arrived: (bytes, topicAt, topicEnd, payloadAt, end) =>
            this.#take(
              bytes.toString('utf8', topicAt, topicEnd),
              bytes.subarray(payloadAt, end),
              connection,
            ),
        },
        session: this.#session,
      },
      // A broker without users has one name space of client ids for all.
      { ...address, version, clean, clientId: `${user}-${clientId}`, username: user, password },
    )
    this.#client = client
    await client.connect()
    await client.subscribe(`users/${user}/inbox/#`, qos)
  }

  async disconnect(): Promise<void> {
    await this.#client?.disconnect()
  }

  async closed(): Promise<void> {
    await this.#client?.closed()
  }

  drop(): void {
    this.#client?.drop()
  }

  #take(topic: string, payload: Buffer, connection: number): void {
    const mail = readTopic(topic)
    if (mail === undefined) {
      this.#ledger.odd(`${this.key} got ${topic}`)
      return
    }
    const isIntact = mail.to === this.#options.user && payload.equals(payloadOf(topic))
    const isOnce = this.#options.qos === 2 && isExactlyOnce(mail.from)
    this.#ledger.arrive(this.key, { from: mail.from, seq: mail.seq, connection, isIntact, isOnce })
  }
}
