/**
 * The sender of an away drill: keeps a window in flight over any number of kills, and notes its
 * receipts. A receipt that has certainly been acknowledged must not come again.
 */
import type { ErrorWithReasonCode } from 'mqtt'
import { RECIPIENT, SENDER } from './away-cast.ts'
import { AwayClient } from './away-client.ts'
import type { Address } from './broker.ts'
import type { Ledger } from './ledger.ts'
import { payloadOf, readReceipt, topicOf } from './mail.ts'

const WINDOW = 64

export class AwaySender {
  readonly client: AwayClient
  readonly #ledger: Ledger
  #left = 0
  #inFlight = 0
  /** Messages that MQTT.js had not sent when the connection ended, oldest first. */
  readonly #givenBack: number[] = []
  readonly #acknowledged = new AcknowledgedReceipts()

  constructor(parts: { ledger: Ledger }, options: { readonly password: string }) {
    this.#ledger = parts.ledger
    this.client = new AwayClient({ user: SENDER, clientId: 'desk', version: 5, ...options })
    this.client.mqtt
      .on('connect', () => this.#fill())
      .on('message', (topic, payload) => this.#takeReceipt(topic, payload.toString()))
      .on('packetsend', (packet) => {
        if (packet.cmd === 'publish') this.#acknowledged.sending(packet.messageId)
      })
  }

  connect(address: Address): void {
    this.#acknowledged.forgetConnection()
    this.client.connect(address)
  }

  /** Sends so many more, over as many connections as that takes. */
  send(messages: number): void {
    this.#left += messages
    this.#fill()
  }

  #fill(): void {
    while (this.client.mqtt.connected && this.#inFlight < WINDOW) {
      const seq = this.#givenBack.shift() ?? this.#begin()
      if (seq === undefined) return
      this.#publish(seq)
    }
  }

  #begin(): number | undefined {
    if (this.#left === 0) return undefined
    this.#left--
    return this.#ledger.send(SENDER, RECIPIENT)
  }

  #publish(seq: number): void {
    this.#inFlight++
    const topic = topicOf(SENDER, RECIPIENT, seq)
    this.client.mqtt.publish(topic, payloadOf(topic), { qos: 1 }, (error, packet) => {
      this.#inFlight--
      const reason = error === undefined || error === null ? 0 : reasonOf(error)
      if (reason === undefined) {
        this.#givenBack.push(seq)
        return
      }
      this.#acknowledged.answered(packet?.messageId)
      this.#ledger.acknowledge(SENDER, seq, reason)
      this.#fill()
    })
  }

  #takeReceipt(topic: string, text: string): void {
    const receipt = readReceipt(topic, text)
    if (receipt === undefined) {
      this.#ledger.odd(`${SENDER} got ${topic} ${text}`)
      return
    }
    const { connection } = this.client
    this.#ledger.receipt(SENDER, { ...receipt, connection, text })
    if (!this.#acknowledged.isNews(`${topic} ${text}`)) {
      this.#ledger.odd(`${SENDER} got ${topic} ${text} again, connection ${connection}`)
    }
  }
}

/** The reason code of a refusal; nothing where MQTT.js gave up because the connection ended. */
function reasonOf(error: Error | ErrorWithReasonCode): number | undefined {
  return 'code' in error ? error.code : undefined
}

/**
 * Which acknowledgements of receipts the relay has on disk. MQTT.js acknowledges at once, and the
 * relay works in order: whatever was acknowledged before a message was sent, in the same
 * connection, is on disk when the PUBACK of that message comes.
 */
class AcknowledgedReceipts {
  readonly #certain = new Set<string>()
  /** Those of this connection in order, how many of them are certain, and by message how many will be. */
  #here: string[] = []
  #certainHere = 0
  readonly #before = new Map<number | undefined, number>()

  forgetConnection(): void {
    this.#here = []
    this.#certainHere = 0
    this.#before.clear()
  }

  /** A message leaves, perhaps again. */
  sending(packetId: number | undefined): void {
    this.#before.set(packetId, this.#here.length)
  }

  /** Its PUBACK has come. */
  answered(packetId: number | undefined): void {
    const count = this.#before.get(packetId) ?? 0
    for (const name of this.#here.slice(this.#certainHere, count)) this.#certain.add(name)
    this.#certainHere = Math.max(this.#certainHere, count)
  }

  /** Notes a receipt that is being acknowledged; false where that had been done for certain. */
  isNews(name: string): boolean {
    this.#here.push(name)
    return !this.#certain.has(name)
  }
}
