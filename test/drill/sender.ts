/**
 * A sender who does what a good client does: keeps a window in flight, and after a broken
 * connection sends what was not acknowledged again, first and in the old order.
 */
import { LoadClient } from '../load/load-client.ts'
import { publishTemplate, stamp } from '../load/packets.ts'
import type { SeededRandom } from '../load/random.ts'
import type { Address } from './broker.ts'
import type { SenderRole } from './cast.ts'
import type { Ledger } from './ledger.ts'
import { payloadOf, readReceipt, topicOf } from './mail.ts'

type Pending = {
  readonly seq: number
  readonly to: string
  readonly packetId: number
  /** QoS 2: the broker has it, and only the release of its packet id is still to be confirmed. */
  isTaken: boolean
}

export type SenderOptions = SenderRole & {
  readonly password: string
  readonly recipients: readonly string[]
  readonly wantsReceipts: boolean
}

export class Sender {
  readonly #ledger: Ledger
  readonly #random: SeededRandom
  readonly #options: SenderOptions
  #client: LoadClient | undefined
  #connection = 0
  #mayStillSend = 0
  #nextPacketId = 0
  #pending: Pending[] = []

  constructor(parts: { ledger: Ledger; random: SeededRandom }, options: SenderOptions) {
    this.#ledger = parts.ledger
    this.#random = parts.random
    this.#options = options
  }

  /** Messages without an answer yet. */
  get pending(): number {
    return this.#pending.length
  }

  /** Connects, takes its receipts, and sends again what is unanswered. @throws Error */
  async connect(address: Address): Promise<void> {
    const { name, version, clean, password, wantsReceipts } = this.#options
    const connection = ++this.#connection
    const client = new LoadClient(
      {
        events: {
          acknowledged: (packetId, reason) => this.#answered(packetId, reason),
          taken: (packetId, reason) => this.#taken(packetId, reason),
          completed: (packetId) => this.#completed(packetId),
          arrived: (bytes, topicAt, topicEnd, payloadAt, end) =>
            this.#takeReceipt(
              bytes.toString('utf8', topicAt, topicEnd),
              bytes.toString('utf8', payloadAt, end),
              connection,
            ),
        },
      },
      { ...address, version, clean, clientId: `${name}-sender`, username: name, password },
    )
    this.#client = client
    const { sessionPresent } = await client.connect()
    // Without its session the broker knows of no release; what it has, it has.
    if (!sessionPresent) this.#pending = this.#pending.filter((pending) => !pending.isTaken)
    if (wantsReceipts) await client.subscribe(`users/${name}/receipts/#`, 1)
    for (const pending of this.#pending) {
      if (pending.isTaken) client.release(pending.packetId)
      else this.#transmit(pending, !clean)
    }
  }

  /** Keeps the window full until `messagesMax` more are sent. */
  send(messagesMax: number): void {
    this.#mayStillSend = messagesMax
    this.#fill()
  }

  /** One message to each recipient, whatever the window. */
  sendOneToEach(): void {
    for (const to of this.#options.recipients) this.#publish(to)
  }

  /** Nothing new; what is in flight goes on. */
  rest(): void {
    this.#mayStillSend = 0
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

  #fill(): void {
    while (this.#mayStillSend > 0 && this.#pending.length < this.#options.window) {
      this.#mayStillSend--
      this.#publish(this.#random.pick(this.#options.recipients))
    }
  }

  #publish(to: string): void {
    this.#nextPacketId = (this.#nextPacketId % 0xffff) + 1
    const seq = this.#ledger.send(this.#options.name, to)
    const pending = { seq, to, packetId: this.#nextPacketId, isTaken: false }
    this.#pending.push(pending)
    this.#transmit(pending, false)
  }

  #transmit(pending: Pending, isAgain: boolean): void {
    const topic = topicOf(this.#options.name, pending.to, pending.seq)
    const { version, qos } = this.#options
    const template = publishTemplate(version, topic, payloadOf(topic), qos)
    stamp(template, pending.packetId, isAgain)
    this.#client?.send(template.frame)
  }

  #answered(packetId: number, reason: number): void {
    const pending = this.#next(packetId, 'PUBACK', () => true)
    if (pending !== undefined) this.#settle(pending, reason)
  }

  #taken(packetId: number, reason: number): void {
    const pending = this.#next(packetId, 'PUBREC', (one) => !one.isTaken)
    if (pending === undefined) return
    if (reason >= 0x80) {
      this.#settle(pending, reason)
      return
    }
    pending.isTaken = true
    this.#ledger.acknowledge(this.#options.name, pending.seq, reason)
  }

  #completed(packetId: number): void {
    const pending = this.#next(packetId, 'PUBCOMP', (one) => one.isTaken)
    if (pending === undefined) return
    this.#pending.splice(this.#pending.indexOf(pending), 1)
    this.#fill()
  }

  /**
   * The pending message that an answer is for. Answers have to come in the order of the packets
   * that they answer [MQTT-4.6.0-2, 4.6.0-3, 4.6.0-4]; `isWaiting` tells who waits for this kind.
   */
  #next(
    packetId: number,
    kind: string,
    isWaiting: (pending: Pending) => boolean,
  ): Pending | undefined {
    const { name } = this.#options
    const found = this.#pending.find((pending) => pending.packetId === packetId)
    const expected = this.#pending.find(isWaiting)
    if (found === undefined)
      this.#ledger.odd(`${name} got a ${kind} of packet ${packetId}, not sent`)
    else if (found !== expected) {
      this.#ledger.odd(`${name} got the ${kind} of ${found.seq} before that of ${expected?.seq}`)
    }
    return found
  }

  #settle(pending: Pending, reason: number): void {
    this.#pending.splice(this.#pending.indexOf(pending), 1)
    this.#ledger.acknowledge(this.#options.name, pending.seq, reason)
    this.#fill()
  }

  #takeReceipt(topic: string, text: string, connection: number): void {
    const { name } = this.#options
    const receipt = readReceipt(topic, text)
    if (receipt === undefined) this.#ledger.odd(`${name} got ${topic} ${text}`)
    else this.#ledger.receipt(name, { ...receipt, connection, text })
  }
}
