/**
 * Wills of clients that were here when an earlier run of the relay was killed: their connections
 * have ended without a goodbye, so they are due, after their delay [MQTT-3.1.2-8].
 */
import type { Clock } from '../clock.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import type { Will } from './ordinary/wills.ts'

export class EarlierWills {
  readonly #clock: Clock
  readonly #topics: Pick<OrdinaryTopics, 'wills' | 'outlivesS'>
  readonly #publish: (id: string, will: Will) => void
  /** By session: takes the timer back. */
  readonly #delayed = new Map<string, () => void>()

  /** @param parts.publish publishes the will of a session */
  constructor(parts: {
    clock: Clock
    topics: Pick<OrdinaryTopics, 'wills' | 'outlivesS'>
    publish: (id: string, will: Will) => void
  }) {
    this.#clock = parts.clock
    this.#topics = parts.topics
    this.#publish = parts.publish
  }

  /** To be called before anybody can connect. */
  async start(): Promise<void> {
    for await (const [id, will] of this.#topics.wills.all()) {
      // Not after the end of the session [MQTT-3.1.3-9].
      const delayS = Math.min(will.delayS, this.#topics.outlivesS(id))
      if (delayS === 0) this.#due(id, will)
      else {
        const cancel = this.#clock.after(delayS * 1000, () => this.#due(id, will))
        this.#delayed.set(id, cancel)
      }
    }
  }

  /** The client is back in time. */
  cancel(id: string): void {
    this.#delayed.get(id)?.()
    this.#delayed.delete(id)
  }

  stop(): void {
    for (const cancel of this.#delayed.values()) cancel()
    this.#delayed.clear()
  }

  #due(id: string, will: Will): void {
    this.#delayed.delete(id)
    this.#topics.wills.delete(id)
    this.#publish(id, will)
  }
}
