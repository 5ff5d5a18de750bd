/**
 * The retained messages that new subscriptions of one client bring, a bounded number read ahead:
 * they are sent only as fast as the client takes them.
 */
import type { Clock } from '../../clock.ts'
import { LIMITS } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Delivery, OrdinaryMessage } from './message.ts'
import type { Retained } from './retained.ts'
import type { Grant } from './subscription.ts'

type Run = {
  readonly topics: Iterator<string>
  readonly grant: Grant
  /** Found, and still to be read. */
  page: readonly string[] | undefined
}

export class RetainedRuns {
  readonly #retained: Retained
  readonly #ageMs: () => number
  readonly #clock: Clock
  readonly #log: Log
  readonly #loaded: () => void
  /** By filter: one that is subscribed to again begins anew. */
  readonly #runs = new Map<string, Run>()
  #ready: Delivery[] = []
  #isReading = false

  /** @param parts.loaded called when `next` has something again */
  constructor(parts: {
    retained: Retained
    ageMs: () => number
    clock: Clock
    log: Log
    loaded: () => void
  }) {
    this.#retained = parts.retained
    this.#ageMs = parts.ageMs
    this.#clock = parts.clock
    this.#log = parts.log
    this.#loaded = parts.loaded
  }

  add(filter: string, grant: Grant): void {
    this.#runs.delete(filter)
    this.#runs.set(filter, { topics: this.#retained.topics(filter), grant, page: undefined })
  }

  /** The client has left the filter. */
  delete(filter: string): void {
    this.#runs.delete(filter)
  }

  clear(): void {
    this.#runs.clear()
    this.#ready = []
  }

  /** Whether `loaded` will be called. */
  get isReading(): boolean {
    return this.#isReading
  }

  /** The next message; `undefined` where there is none, or it has still to be read. */
  next(): Delivery | undefined {
    const next = this.#ready.shift()
    if (next === undefined && !this.#isReading && this.#runs.size > 0) this.#readAhead()
    return next
  }

  #readAhead(): void {
    this.#isReading = true
    this.#read().then(
      () => this.#resume(),
      (error: unknown) => {
        this.#log.error({ error }, 'retained messages could not be read; trying again')
        this.#clock.after(LIMITS.drainRetryMs, () => this.#resume())
      },
    )
  }

  #resume(): void {
    this.#isReading = false
    this.#loaded()
  }

  async #read(): Promise<void> {
    const [entry] = this.#runs
    if (entry === undefined) return
    const [filter, run] = entry
    run.page ??= this.#page(run)
    const topics = run.page
    const messages = await this.#retained.read(topics)
    run.page = undefined
    // Subscribed to anew, or left.
    if (this.#runs.get(filter) !== run) return
    if (topics.length < LIMITS.readAheadMax) this.#runs.delete(filter)
    for (const message of messages) {
      if (message !== undefined) this.#take(message, run.grant)
    }
  }

  #page({ topics }: Run): string[] {
    const page: string[] = []
    while (page.length < LIMITS.readAheadMax) {
      const { value, done } = topics.next()
      if (done === true) break
      page.push(value)
    }
    return page
  }

  #take(message: OrdinaryMessage, grant: Grant): void {
    if (message.deadlineMs <= this.#ageMs()) {
      this.#retained.remove(message.topic)
      return
    }
    const qos = Math.min(message.qos, grant.qos) as 0 | 1 | 2
    // [MQTT-3.3.1-8]
    this.#ready.push({ ...message, qos, isRetained: true, identifiers: grant.identifiers })
  }
}
