/** A device that records what it is sent and acknowledges when the test says so. */
import type { DevicePort, Filter, Outgoing } from '../../src/delivery/port.ts'
import { boxesReached, type DeviceSession } from '../../src/delivery/session.ts'
import type { DeviceId, UserId } from '../../src/message/names.ts'
import type { Rig } from './rig.ts'

export type DeviceOptions = {
  readonly filters?: readonly Filter[]
  readonly receiveMaximum?: number
  readonly isResumed?: boolean
  /** QoS of the usual subscription. */
  readonly qos?: 0 | 1 | 2
}

/** What a receipt says, without its times. */
export type Told = { id: string; status: string; device?: string; reason?: string }

const RECEIVE_MAXIMUM = 65_535

export class TestDevice implements DevicePort {
  readonly user: UserId
  readonly device: DeviceId
  readonly receiveMaximum: number
  isResumed: boolean
  isCongested = false
  isWindowFull = false
  isHere = false
  /** Everything that was sent, oldest first. */
  readonly sent: Outgoing[] = []
  /** Packet identifiers of PUBRELs. */
  readonly released: number[] = []
  readonly reasons: number[] = []
  filters: readonly Filter[]
  readonly #rig: Rig
  #session: DeviceSession | undefined
  #unacknowledged: Outgoing[] = []

  constructor(rig: Rig, whose: { user: UserId; device: DeviceId }, options: DeviceOptions) {
    this.#rig = rig
    this.user = whose.user
    this.device = whose.device
    const { qos = 1, receiveMaximum = RECEIVE_MAXIMUM, isResumed = true } = options
    this.receiveMaximum = receiveMaximum
    this.isResumed = isResumed
    this.filters = options.filters ?? [
      { filter: `users/${whose.user}/inbox/#`, qos },
      { filter: `users/${whose.user}/receipts/#`, qos },
    ]
  }

  get session(): DeviceSession {
    if (this.#session === undefined) throw new Error('the device is not connected')
    return this.#session
  }

  publish(outgoing: Outgoing): boolean {
    this.sent.push(outgoing)
    if (outgoing.qos > 0) this.#unacknowledged.push(outgoing)
    return true
  }

  release(packetId: number): void {
    this.released.push(packetId)
  }

  /** Answers a QoS 2 delivery with PUBREC; PUBREL comes when that is on disk. */
  received(packetId: number): void {
    const { session } = this
    session.received(packetId, () => {
      if (this.isHere && this.#session === session) this.release(packetId)
    })
  }

  disconnect(reason: number): void {
    this.reasons.push(reason)
  }

  /** Connects, for the first time or again. */
  come(filters: readonly Filter[] = this.filters): void {
    const known = this.#rig.roster.connected(this.user, this.device)
    this.isHere = true
    this.#unacknowledged = []
    this.#session = this.#rig.post.connected(this, known)
    this.subscribe(filters)
  }

  subscribe(filters: readonly Filter[]): void {
    this.filters = filters
    const kept = filters.filter(({ qos }) => qos > 0)
    for (const box of boxesReached(this.user, kept)) {
      this.#rig.roster.hold(this.user, this.device, box)
    }
    this.session.subscribed(filters)
  }

  /** The connection breaks. */
  leave(): void {
    if (!this.isHere) return
    this.isHere = false
    this.#rig.post.disconnected(this.session)
    this.#rig.roster.disconnected(this.user, this.device)
  }

  /** Acknowledges the oldest `count` of what is unacknowledged (PUBACK, PUBCOMP). */
  ack(count = Number.POSITIVE_INFINITY): number {
    const done = this.#unacknowledged.splice(0, Math.min(count, this.#unacknowledged.length))
    for (const { packetId } of done) this.session.completed(packetId)
    return done.length
  }

  /** Acknowledges whatever comes, until nothing does. */
  async ackAll(): Promise<void> {
    await this.#rig.quiet()
    while (this.ack() > 0) await this.#rig.quiet()
  }

  /** What is unacknowledged, oldest first. */
  get unacknowledged(): readonly Outgoing[] {
    return this.#unacknowledged
  }

  /** Ids of the messages that were sent, in that order, repetitions included. */
  get ids(): string[] {
    return this.#of('inbox').map(idOf)
  }

  /** Payloads of the messages that were sent, as text. */
  get texts(): string[] {
    return this.#of('inbox').map(({ payload }) => Buffer.from(payload).toString())
  }

  /** The receipts that were sent, in that order. */
  get receipts(): Told[] {
    return this.#of('receipts').map((outgoing) => {
      const said = JSON.parse(Buffer.from(outgoing.payload).toString()) as Omit<Told, 'id'>
      const { status, device, reason } = said
      return {
        id: idOf(outgoing),
        status,
        ...(device === undefined ? {} : { device }),
        ...(reason === undefined ? {} : { reason }),
      }
    })
  }

  /** The receipts of one message in short: `stored`, `delivered phone`, `delivered`. */
  story(id: string): string[] {
    const own = this.receipts.filter((receipt) => receipt.id === id)
    return own.map(({ status, device }) => (device === undefined ? status : `${status} ${device}`))
  }

  #of(box: string): Outgoing[] {
    return this.sent.filter(({ topic }) => topic.split('/')[2] === box)
  }
}

/** The id of the message that a topic names. */
export function idOf({ topic }: Pick<Outgoing, 'topic'>): string {
  return topic.split('/').at(-1) ?? ''
}
