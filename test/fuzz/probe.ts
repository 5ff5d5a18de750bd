/**
 * A good client beside the fuzzed ones: it pings all the time, and now and then sends itself a
 * message and gets it. It tells how long the relay kept others waiting.
 */
import { setInterval } from 'node:timers/promises'
import type { Address, Credential } from '../drill/broker.ts'
import { LoadClient } from '../load/load-client.ts'
import { publishTemplate, stamp } from '../load/packets.ts'

const PING_EVERY_MS = 5
const MESSAGE_EVERY_PINGS = 50
const ANSWER_MS_MAX = 10_000

export class Probe {
  readonly #client: LoadClient
  readonly #name: string
  readonly #stopping = new AbortController()
  #arrived = Promise.withResolvers<void>()
  #pinging: Promise<void> | undefined
  #messages = 0
  /** Longest time that a ping took, since the start. */
  longestPingMs = 0

  /** @param events.lost called when the relay ends the connection, or does not answer */
  constructor(events: { lost(why: string): void }, options: Address & Credential) {
    this.#name = options.name
    this.#client = new LoadClient(
      {
        events: {
          arrived: () => this.#arrived.resolve(),
          closed: () => {
            if (!this.#stopping.signal.aborted) events.lost('its connection was closed')
          },
        },
      },
      {
        ...options,
        version: 5,
        clientId: 'probe',
        username: options.name,
        clean: true,
      },
    )
    this.#lost = events.lost
  }

  readonly #lost: (why: string) => void

  async start(): Promise<void> {
    await this.#client.connect()
    await this.#client.subscribe(`users/${this.#name}/inbox/#`, 1)
    this.#pinging = this.#ping().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#lost(String(error))
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#client.drop()
    await this.#pinging
  }

  async #ping(): Promise<void> {
    let pings = 0
    for await (const _tick of setInterval(PING_EVERY_MS, undefined, {
      signal: this.#stopping.signal,
    })) {
      const beganMs = performance.now()
      await inTime(this.#client.ping(), 'a ping')
      this.longestPingMs = Math.max(this.longestPingMs, performance.now() - beganMs)
      pings += 1
      if (pings % MESSAGE_EVERY_PINGS === 0) await inTime(this.#sendItself(), 'a message to itself')
    }
  }

  async #sendItself(): Promise<void> {
    this.#messages += 1
    this.#arrived = Promise.withResolvers()
    const topic = `users/${this.#name}/inbox/${this.#name}/probe-${this.#messages}`
    const message = publishTemplate(5, topic, Buffer.from('here'))
    stamp(message, (this.#messages % 0xffff) + 1, false)
    this.#client.send(message.frame)
    await this.#arrived.promise
  }
}

async function inTime(answer: Promise<void>, what: string): Promise<void> {
  const late = Promise.withResolvers<never>()
  const says = new Error(`${what} is not answered`)
  const timer = setTimeout(() => late.reject(says), ANSWER_MS_MAX)
  await Promise.race([answer, late.promise]).finally(() => clearTimeout(timer))
}
