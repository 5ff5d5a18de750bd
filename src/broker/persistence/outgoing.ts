/**
 * The queues of sessions: ordinary messages with QoS 1 or 2, from their publication until the
 * client has acknowledged them, or until the queue is full and a newer one needs the place, which
 * is counted and told. One record in the store for each session and message.
 */
import { lastNumber } from '../../store/keys.ts'
import type { Store } from '../../store/store.ts'
import { outgoingKey, ownerOf } from './keys.ts'
import type { LossNotice } from './loss-notice.ts'
import { decodePacket, encodePacket, type Packet, queued } from './packet.ts'
import { type PacketNumbers, QUEUE } from './packet-numbers.ts'
import { SessionQueue } from './session-queue.ts'
import { readPacket } from './stored-packet.ts'

/** Who gets a message, and how the subscription that matched wants it. */
export type Recipient = {
  readonly clientId: string
  /** Undefined where the relay itself sends to the client. */
  readonly qos?: number | undefined
  readonly rap?: boolean | undefined
}

export class Outgoing {
  readonly #store: Store
  readonly #numbers: PacketNumbers
  readonly #dropped: LossNotice
  readonly #max: number
  readonly #readAheadMax: number
  readonly #sessions = new Map<string, SessionQueue>()
  #size = 0

  constructor(
    parts: { store: Store; numbers: PacketNumbers; dropped: LossNotice },
    options: { offlineQueueMessagesMax: number; readAheadMax: number },
  ) {
    this.#store = parts.store
    this.#numbers = parts.numbers
    this.#dropped = parts.dropped
    this.#max = options.offlineQueueMessagesMax
    this.#readAheadMax = options.readAheadMax
  }

  /** Called for each stored key of the table `outgoing`, in order, while the store starts. */
  visit(key: string): void {
    const number = lastNumber(key)
    this.#numbers.restore(number)
    this.#queueOf(ownerOf(key)).push(number, 1)
    this.#size += 1
  }

  /** Messages in all queues. */
  get size(): number {
    return this.#size
  }

  /** Puts a message into the queue of each recipient, once however many subscriptions match. */
  enqueue(recipients: readonly Recipient[], packet: Packet, number: number): void {
    const encoded = new Map<string, Uint8Array>()
    for (const [clientId, matched] of Map.groupBy(recipients, ({ clientId }) => clientId)) {
      const wanted = asWanted(packet, matched)
      const variant = `${wanted.qos} ${wanted.retain}`
      const value = encoded.get(variant) ?? encodePacket(wanted)
      encoded.set(variant, value)
      const queue = this.#queueOf(clientId)
      this.#store.insert(outgoingKey(clientId, number), value)
      queue.push(number, matched.length)
      this.#size += 1
      if (queue.size > this.#max) this.#dropOldest(clientId, queue)
    }
  }

  /**
   * The client is about to get this packet, under its packet id. Returns whether that has to be
   * durable first: a QoS 2 message keeps its packet id and its state, or it would come twice
   * [MQTT-4.3.3-1]. A packet that is in no queue (any more) needs nothing.
   */
  sending(clientId: string, packet: Packet): boolean {
    const queue = this.#sessions.get(clientId)
    const { messageId } = packet
    if (queue === undefined || messageId === undefined) return false
    const isRelease = packet.cmd === 'pubrel'
    const number = isRelease ? queue.numberOf(messageId) : this.#numberOf(clientId, packet)
    if (number === undefined) return false
    if (!isRelease) queue.sent(number, messageId)
    if (packet.qos !== 2 && !isRelease) return false
    const last = this.#read(clientId, number)
    if (last === undefined) return false
    if (last.cmd === packet.cmd && last.messageId === messageId) return true
    const next = isRelease ? { cmd: 'pubrel', messageId } : { ...last, qos: 2, messageId }
    this.#store.replace(outgoingKey(clientId, number), encodePacket(next))
    return true
  }

  /**
   * Removes the message that the client has acknowledged under `packet.messageId`, or the packet
   * itself where it has no packet id because it was not sent. Returns what was removed.
   */
  settle(clientId: string, packet: Packet): Packet | undefined {
    const queue = this.#sessions.get(clientId)
    if (queue === undefined) return undefined
    const { messageId } = packet
    const number =
      messageId === undefined ? this.#numberOf(clientId, packet) : queue.numberOf(messageId)
    if (number === undefined) return undefined
    // Of overlapping subscriptions one delivers, and aedes gives the message up for each other one.
    if (messageId === undefined && queue.loseWay(number)) return undefined
    const last = this.#read(clientId, number)
    this.#remove(clientId, queue, number)
    return last && named(last, number, messageId)
  }

  /** Whether the client has got a message under this packet id and not acknowledged it. */
  isTaken(clientId: string, packetId: number): boolean {
    return this.#sessions.get(clientId)?.numberOf(packetId) !== undefined
  }

  /** Whether the client got this packet on an earlier connection. */
  wasSentBefore(clientId: string, packet: Packet): boolean {
    const number = packet.brokerId === QUEUE ? packet.brokerCounter : undefined
    return number !== undefined && this.#sessions.get(clientId)?.wasSentBefore(number) === true
  }

  /** Ids of the sessions that have anything here. */
  clientIds(): Iterable<string> {
    return this.#sessions.keys()
  }

  /** Forgets the queue of a session. */
  clear(clientId: string): void {
    const queue = this.#sessions.get(clientId)
    for (const number of queue?.numbers() ?? []) {
      if (queue !== undefined) this.#remove(clientId, queue, number)
    }
  }

  /** What a session's queue holds now, oldest first; what comes later is delivered live. */
  stream(clientId: string): AsyncGenerator<Packet, void, undefined> {
    return this.#packets(clientId, this.#sessions.get(clientId)?.numbers() ?? [])
  }

  async *#packets(
    clientId: string,
    numbers: readonly number[],
  ): AsyncGenerator<Packet, void, undefined> {
    for (let from = 0; from < numbers.length; from += this.#readAheadMax) {
      const page = numbers.slice(from, from + this.#readAheadMax)
      const values = await this.#store.getMany(page.map((number) => outgoingKey(clientId, number)))
      for (const [at, number] of page.entries()) {
        const packet = this.#packet(clientId, number, values[at])
        if (packet !== undefined) yield packet
      }
    }
  }

  #packet(clientId: string, number: number, readAhead: Uint8Array | undefined): Packet | undefined {
    const queue = this.#sessions.get(clientId)
    if (queue?.has(number) !== true) return undefined
    queue.handedOver(number)
    const sentAs = queue.packetIdOf(number)
    // What is on its way may have changed since it was read ahead.
    const packet =
      readAhead === undefined || sentAs !== undefined
        ? this.#read(clientId, number)
        : decodePacket(readAhead)
    if (packet === undefined) return undefined
    const messageId = sentAs ?? packet.messageId
    if (messageId !== undefined) queue.sentAgain(number, messageId)
    return named(packet, number, messageId)
  }

  #numberOf(clientId: string, packet: Packet): number | undefined {
    const { brokerId, brokerCounter } = packet
    const queue = this.#sessions.get(clientId)
    if (brokerId === QUEUE) {
      return brokerCounter !== undefined && queue?.has(brokerCounter) ? brokerCounter : undefined
    }
    if (brokerId === undefined) return undefined
    // Numbered by another broker, which does not happen in a relay; aedes' contract allows it.
    return queue?.numbers().find((number) => {
      const stored = this.#read(clientId, number)
      return stored?.brokerId === brokerId && stored.brokerCounter === brokerCounter
    })
  }

  #read(clientId: string, number: number): Packet | undefined {
    return readPacket(this.#store, outgoingKey(clientId, number))
  }

  #dropOldest(clientId: string, queue: SessionQueue): void {
    const { oldest } = queue
    if (oldest === undefined) return
    this.#remove(clientId, queue, oldest)
    this.#dropped.count()
  }

  #remove(clientId: string, queue: SessionQueue, number: number): void {
    this.#store.remove(outgoingKey(clientId, number))
    queue.remove(number)
    this.#size -= 1
    if (queue.size === 0) this.#sessions.delete(clientId)
  }

  #queueOf(clientId: string): SessionQueue {
    let queue = this.#sessions.get(clientId)
    if (queue === undefined) {
      queue = new SessionQueue()
      this.#sessions.set(clientId, queue)
    }
    return queue
  }
}

/** A stored packet under the names that aedes asks for. */
function named(packet: Packet, number: number, messageId: number | undefined): Packet {
  if (packet.cmd === 'pubrel') return packet
  return { brokerId: QUEUE, brokerCounter: number, ...packet, messageId }
}

/**
 * The packet as the client's matching subscriptions grant it: with the highest of their QoS at
 * most [MQTT-3.8.4-6], RETAIN 0 unless one asked for it as published [MQTT-3.3.1-9], and DUP 0
 * whatever the sender's was [MQTT-3.3.1-3].
 */
function asWanted(packet: Packet, matched: readonly Recipient[]): Packet {
  const { messageId: _sender, ...wanted } = { ...queued(packet), dup: false }
  // Its place in the queue is its number.
  if (wanted.brokerId === QUEUE) {
    delete wanted.brokerId
    delete wanted.brokerCounter
  }
  if (matched.some(({ qos }) => qos === undefined)) return wanted
  const granted = Math.max(...matched.map(({ qos = 0 }) => qos))
  return {
    ...wanted,
    qos: Math.min(wanted.qos ?? 0, granted),
    retain: wanted.retain === true && matched.some(({ rap }) => rap === true),
  }
}
