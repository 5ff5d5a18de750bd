/**
 * One client's session on ordinary topics: its subscriptions, its queue, and the window of what it
 * has not acknowledged. What is new and what has waited go the same way, in the order of their
 * numbers: the queue is sent as far as the window and the socket have room.
 *
 * A packet identifier follows from the number, so it is the same on the next connection and after
 * a restart although nobody wrote it down [MQTT-4.4.0-1]. A QoS 2 delivery of a kept session goes
 * out only when it is on disk: its client would take the same identifier for the same message.
 */
import { otherPacketIdOf } from '../../delivery/packet-id.ts'
import type { Outgoing } from '../../delivery/port.ts'
import { LIMITS } from '../../limits.ts'
import { type Delivery, kept, type Queued, RELEASED, secondsLeft } from './message.ts'
import type { Queue } from './queue.ts'
import type { RetainedRuns } from './retained-runs.ts'
import type { Grant, Subscription } from './subscription.ts'

/** What a session needs of its connection. */
export interface SessionPort {
  readonly receiveMaximum: number
  /** Mail that the client has not acknowledged: it shares the window. */
  readonly mailInFlight: number
  readonly isCongested: boolean
  mayRead(topic: string): boolean
  /** False where the client takes no packet of that length (MQTT 5 Maximum Packet Size). */
  publish(outgoing: Outgoing): boolean
  /** PUBREL: the client may forget a QoS 2 packet identifier. */
  release(packetId: number): void
  /** More waits than a client may leave waiting. */
  tooSlow(): void
}

/** What a session needs of the table that it is in. */
export interface SessionOwner {
  ageMs(): number
  /** Whether a number is on disk. */
  isCommitted(number: number): boolean
  /** The session wants to be pumped with the next commit. */
  waits(session: OrdinarySession): void
  /** A number for something that goes to this session alone. */
  nextNumber(): number
  /** Calls `run` when all that was written is on disk. */
  whenCommitted(run: () => void): void
  /** Calls `run` after a while: the store could not be read. */
  retry(run: () => void): void
  /** A delivery has left a full queue. */
  dropped(): void
}

export class OrdinarySession {
  readonly id: string
  /** Whether it outlives its connection. */
  readonly isKept: boolean
  /** By filter, as the client has written it. */
  readonly subscriptions = new Map<string, Subscription>()
  readonly #owner: SessionOwner
  readonly #queue: Queue
  readonly #runs: RetainedRuns
  readonly #inFlight = new Map<number, number>()
  /** Read ahead from the store. */
  readonly #ready = new Map<number, Queued>()
  #port: SessionPort | undefined
  /** The last number that was looked at on this connection. */
  #position = 0
  /** The highest number that was ever sent. */
  #sentMax = 0
  #isReading = false

  constructor(
    parts: {
      owner: SessionOwner
      queue: Queue
      runsOf: (loaded: () => void) => RetainedRuns
    },
    options: { id: string; isKept: boolean },
  ) {
    this.id = options.id
    this.isKept = options.isKept
    this.#owner = parts.owner
    this.#queue = parts.queue
    this.#runs = parts.runsOf(() => this.pump())
  }

  /** Whether its client is here. */
  get isConnected(): boolean {
    return this.#port !== undefined
  }

  /** Publishes with QoS 1 and 2 that the client has not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Whether its client is here and may read a topic. */
  mayRead(topic: string): boolean {
    return this.#port?.mayRead(topic) === true
  }

  /** What waits, or is on its way. */
  get queued(): number {
    return this.#queue.size
  }

  /** The highest number that was sent: what comes again from there down is a duplicate. */
  get sentMax(): number {
    return this.#sentMax
  }

  /** A stored delivery, found while the store starts. */
  restore(number: number): void {
    this.#queue.restore(number)
  }

  /** What an earlier run has sent; `undefined` where it has not said how far it got. */
  restoreSent(sentMax: number | undefined): void {
    this.#sentMax = sentMax ?? this.#queue.newest
  }

  /** The client is here; what it has not acknowledged comes again. */
  connected(port: SessionPort): void {
    this.#port = port
    this.#position = 0
    this.pump()
  }

  disconnected(): void {
    this.#port = undefined
    this.#inFlight.clear()
    this.#ready.clear()
    // What a subscription was still to bring, it brings to the next connection.
    if (!this.isKept) this.#runs.clear()
  }

  /** A message of QoS 0: for the moment, so a reader that is away or behind does without. */
  pass(outgoing: Outgoing): void {
    const port = this.#port
    if (port === undefined || port.isCongested || !port.mayRead(outgoing.topic)) return
    port.publish(outgoing)
  }

  /** A message of QoS 1 or 2, with a number higher than all before. */
  enqueue(number: number, delivery: Delivery): void {
    this.#queue.push(number, delivery)
    if (this.#queue.size > LIMITS.offlineQueueMessagesMax && this.isKept) this.#dropOldest()
    if (this.#port === undefined) return
    // What goes out in this turn need not be read back.
    if (this.isKept && this.#ready.size < LIMITS.readAheadMax) this.#ready.set(number, delivery)
    this.pump()
    if (this.#ready.has(number)) this.#ready.set(number, kept(delivery))
    this.#queue.keep(number)
    if (this.#queue.heldBytes > LIMITS.outboxBytesMax) this.#port?.tooSlow()
  }

  /** Sends what is retained for a subscription that was just made. */
  bring(filter: string, grant: Grant): void {
    this.#runs.add(filter, grant)
    this.pump()
  }

  /** Sends no more of what is retained for a filter. */
  leave(filter: string): void {
    this.#runs.delete(filter)
  }

  /**
   * PUBACK, PUBCOMP, or a PUBREC that refuses: the client is done with a packet identifier; false
   * where it has none such.
   */
  acknowledged(packetId: number): boolean {
    const number = this.#inFlight.get(packetId)
    if (number === undefined) return false
    this.#inFlight.delete(packetId)
    this.#queue.remove(number)
    this.pump()
    return true
  }

  /** PUBREC: the client has the message. `recorded` is called when that is on disk. */
  received(packetId: number, recorded: () => void): void {
    const number = this.#inFlight.get(packetId)
    if (number !== undefined && this.#queue.release(number)) this.#owner.whenCommitted(recorded)
    else recorded()
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.disconnected()
    this.#runs.clear()
    this.#queue.clear()
  }

  /** Sends what there is room for. */
  pump(): void {
    let isMoving = true
    while (isMoving) isMoving = this.#sendNext()
  }

  #canSend(port: SessionPort): boolean {
    return !port.isCongested && this.#inFlight.size + port.mailInFlight < port.receiveMaximum
  }

  /** Returns whether to go on. */
  #sendNext(): boolean {
    const port = this.#port
    if (port === undefined || !this.#canSend(port)) return false
    const number = this.#queue.after(this.#position)
    if (number === undefined) return this.#sendRetained(port)
    // After 32,767 others an identifier comes round, and may still be in use.
    if (this.#inFlight.has(otherPacketIdOf(number))) return false
    const queued = this.#queue.held(number) ?? this.#ready.get(number)
    if (queued === undefined) {
      this.#readAhead(number)
      return false
    }
    const isLate = this.isKept && queued !== RELEASED && queued.qos === 2
    if (isLate && !this.#owner.isCommitted(number)) {
      this.#owner.waits(this)
      return false
    }
    this.#ready.delete(number)
    this.#position = number
    this.#send(port, number, queued)
    return true
  }

  #send(port: SessionPort, number: number, queued: Queued): void {
    const packetId = otherPacketIdOf(number)
    const isDuplicate = number <= this.#sentMax
    this.#sentMax = Math.max(this.#sentMax, number)
    if (queued === RELEASED) {
      this.#inFlight.set(packetId, number)
      port.release(packetId)
      return
    }
    // What was sent does not expire [MQTT-4.3.3-7].
    const isOver = !isDuplicate && queued.deadlineMs <= this.#owner.ageMs()
    const isSent =
      !isOver &&
      port.mayRead(queued.topic) &&
      port.publish({ ...this.#outgoing(queued), packetId, isDuplicate })
    if (!isSent) {
      this.#queue.remove(number)
      return
    }
    this.#queue.sent(number)
    this.#inFlight.set(packetId, number)
  }

  #outgoing(delivery: Delivery): Omit<Outgoing, 'packetId' | 'isDuplicate'> {
    return outgoingOf(delivery, this.#owner.ageMs())
  }

  #sendRetained(port: SessionPort): boolean {
    const delivery = this.#runs.next()
    if (delivery === undefined) return false
    if (delivery.qos > 0) {
      const number = this.#owner.nextNumber()
      this.#queue.push(number, delivery)
      if (this.isKept) this.#ready.set(number, delivery)
      if (this.isKept && delivery.qos === 2) this.#owner.whenCommitted(() => this.pump())
    } else if (port.mayRead(delivery.topic)) {
      port.publish({ ...this.#outgoing(delivery), packetId: 0, isDuplicate: false })
    }
    return true
  }

  #readAhead(from: number): void {
    if (this.#isReading) return
    this.#isReading = true
    const port = this.#port
    const numbers = this.#queue.from(from, LIMITS.readAheadMax)
    const look = async () => {
      const found = await this.#queue.read(numbers)
      for (const [at, number] of numbers.entries()) {
        const queued = found[at]
        // Damaged, which was reported.
        if (queued === undefined) this.#queue.remove(number)
        else if (this.#port === port) this.#ready.set(number, queued)
      }
    }
    const resume = () => {
      this.#isReading = false
      this.pump()
    }
    look().then(resume, () => this.#owner.retry(resume))
  }

  #dropOldest(): void {
    const { oldest } = this.#queue
    if (oldest === undefined) return
    this.#queue.remove(oldest)
    this.#ready.delete(oldest)
    this.#owner.dropped()
  }
}

/** A delivery as it goes out now, but for what depends on the connection. */
export function outgoingOf(
  { topic, payload, qos, isRetained, deadlineMs, properties, identifiers }: Delivery,
  ageMs: number,
): Omit<Outgoing, 'packetId' | 'isDuplicate'> {
  const expiresInS = secondsLeft(deadlineMs, ageMs)
  return {
    topic,
    payload,
    qos,
    isRetained,
    identifiers,
    ...(expiresInS === undefined ? {} : { expiresInS }),
    ...(properties === undefined ? {} : { properties }),
  }
}
