/**
 * What aedes finds where it looks for sessions, queues, retained messages and wills: nothing, since
 * all of that is ours. It still says when a session has to begin anew, and when a will is done with.
 */
import { Readable } from 'node:stream'
import type { OrdinaryTopics } from './ordinary/topics.ts'

type Client = { readonly id: string }

type Will = { brokerId?: string; clientId?: string }

/** aedes, as far as it names its packets. */
type Broker = { readonly id: string; readonly counter: number }

export class AedesPersistence {
  readonly #topics: OrdinaryTopics
  readonly #committed: () => Promise<void>
  #broker: Broker = { id: '', counter: 0 }
  #isOver = false

  constructor(parts: { topics: OrdinaryTopics; committed: () => Promise<void> }) {
    this.#topics = parts.topics
    this.#committed = parts.committed
  }

  /** The broker that was set up. */
  get broker(): Broker {
    return this.#broker
  }

  async setup(broker: Broker): Promise<void> {
    this.#broker = broker
  }

  async subscriptionsByClient(): Promise<[]> {
    return []
  }

  /** A client begins anew [MQTT-3.1.2-4]. */
  async cleanSubscriptions({ id }: Client): Promise<void> {
    this.#topics.end(id)
    await this.#committed()
  }

  outgoingStream(): Readable {
    return Readable.from([])
  }

  /** The broker keeps it, as the client has sent it. */
  async putWill({ id }: Client, will: Will): Promise<void> {
    will.brokerId = this.#broker.id
    will.clientId = id
  }

  /** The client has said goodbye, or its will was published, or it is back in time. */
  async delWill({ id }: Client): Promise<void> {
    // aedes is done with some wills only after it has closed; those are for the next start.
    if (!this.#isOver) this.#topics.wills.delete(id)
  }

  streamWill(): Readable {
    return Readable.from([])
  }

  /** To be called once aedes has closed. */
  async destroy(): Promise<void> {
    await this.#committed()
    this.#isOver = true
  }
}

/**
 * In the place of what aedes passes messages on with (mqemitter): nothing is published or
 * subscribed to through aedes but its own notes to other brokers, of which there are none.
 */
export const NO_EMITTER = {
  on: (_topic: string, _listener: unknown, done?: () => void): void => done?.(),
  removeListener: (_topic: string, _listener: unknown, done?: () => void): void => done?.(),
  emit: (_packet: unknown, done: () => void): void => queueMicrotask(done),
  close: (done: () => void): void => done(),
}
