/**
 * A publisher that keeps a window of QoS 1 messages in flight. Each message has an id of its
 * own in its topic and a payload of random bytes, both written into one frame that is encoded
 * once; so thousands of messages a second cost the load process little.
 */
import assert from 'node:assert/strict'
import type { LoadClient } from './load-client.ts'
import { type MqttVersion, publishTemplate, stamp } from './packets.ts'
import type { SeededRandom } from './random.ts'

export type PumpOptions = {
  readonly version: MqttVersion
  /** Topic up to and including the slash before the message id. */
  readonly topicPrefix: string
  /** First letters of every id; the running number follows in `ID_DIGITS` digits. */
  readonly idPrefix: string
  readonly payloadBytes: number
  readonly window: number
  /** Any number of the sender's own, from 0 to 2^32 - 1: makes its payloads' openings unique. */
  readonly marker: number
}

export const ID_DIGITS = 9
/**
 * The first eight bytes of a payload as two numbers, little end first. Each message has its own,
 * so that they can be looked for on a disk: nothing repeats that a compressor could shorten.
 */
export function opening(marker: number, number: number): readonly [number, number] {
  return [scramble(marker ^ scramble(number)), scramble(number ^ scramble(marker + 1))]
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

const OPENING_BYTES = 8

/** Random bytes that payloads are cut from; more than LevelDB compresses at once. */
const POOL_BYTES = 1 << 20

/** Random bytes for the payloads of all pumps of a process. */
export function payloadPool(random: SeededRandom): Buffer {
  return random.bytes(POOL_BYTES)
}

export class PublishPump {
  readonly #client: LoadClient
  readonly #pool: Buffer
  readonly #random: SeededRandom
  readonly #options: PumpOptions
  readonly #template: ReturnType<typeof publishTemplate>
  readonly #idAt: number
  #isRunning = false
  #inFlight = 0
  #sent = 0
  #sendMax = 0
  #acknowledged = 0
  #refused = 0
  #lastRefusal = 0
  #drained: (() => void) | undefined

  constructor(
    parts: { client: LoadClient; pool: Buffer; random: SeededRandom },
    options: PumpOptions,
  ) {
    this.#client = parts.client
    this.#pool = parts.pool
    this.#random = parts.random
    this.#options = options
    assert(options.payloadBytes >= OPENING_BYTES)
    const prefix = options.topicPrefix + options.idPrefix
    const topic = prefix + '0'.repeat(ID_DIGITS)
    this.#template = publishTemplate(options.version, topic, Buffer.alloc(options.payloadBytes))
    this.#idAt = this.#template.topicAt + Buffer.byteLength(prefix)
  }

  get sent(): number {
    return this.#sent
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Acknowledgements that said no, and the last one's reason code. */
  get refused(): { readonly count: number; readonly reason: number } {
    return { count: this.#refused, reason: this.#lastRefusal }
  }

  /** Sends until `stop`, or `messagesMax` more, with the window full. */
  start(messagesMax = Number.POSITIVE_INFINITY): void {
    this.#isRunning = true
    this.#sendMax = this.#sent + messagesMax
    while (this.#mayOpen()) this.#publish()
  }

  /** No new messages from now on. */
  stop(): void {
    this.#isRunning = false
  }

  /** Resolves when every message sent is answered: after `stop`, or `start(messagesMax)`. */
  finished(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  /** To be called at each PUBACK of the client. */
  answered(reason: number): void {
    this.#inFlight--
    if (reason >= 0x80) {
      this.#refused++
      this.#lastRefusal = reason
    } else this.#acknowledged++
    if (this.#mayOpen()) this.#publish()
    else if (this.#inFlight === 0) this.#drained?.()
  }

  #mayOpen(): boolean {
    return this.#isRunning && this.#inFlight < this.#options.window && this.#sent < this.#sendMax
  }

  #publish(): void {
    const { frame, payloadAt } = this.#template
    const number = this.#sent++
    const scrambled = opening(this.#options.marker, number)
    this.#inFlight++
    let rest = number
    for (let at = this.#idAt + ID_DIGITS - 1; at >= this.#idAt; at--) {
      frame[at] = 48 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    const size = this.#options.payloadBytes
    const from = this.#random.between(0, POOL_BYTES - size)
    this.#pool.copy(frame, payloadAt, from, from + size)
    frame.writeUInt32LE(scrambled[0], payloadAt)
    frame.writeUInt32LE(scrambled[1], payloadAt + 4)
    stamp(this.#template, (number % 0xffff) + 1, false)
    this.#client.send(frame)
  }
}
