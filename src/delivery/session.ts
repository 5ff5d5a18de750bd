/**
 * One connected device: its subscriptions, its window of unacknowledged deliveries, and a drain
 * for each of its boxes. The transport calls in with what the client sends; out goes through the
 * port.
 */
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Item } from '../mailbox/item.ts'
import type { BoxName, Mail, Mailbox } from '../mailbox/mailbox.ts'
import { type Content, receiptPayload } from '../message/message.ts'
import { filterMatches, filtersMeet, inboxTopic, receiptTopic } from '../message/topic.ts'
import type { Device } from '../roster/device.ts'
import { Drain, type DrainOutlet, type EntryReader } from './drain.ts'
import { packetIdOf } from './packet-id.ts'
import type { DevicePort, Filter, Outgoing } from './port.ts'

/** What a session asks of the post office. */
export interface SessionOffice {
  /** The device has the entry. */
  acknowledged(mailbox: Mailbox, seq: number, item: Item, device: Device): void
  /** The device has taken over a QoS 2 delivery; `recorded` is called when that is on disk. */
  received(mailbox: Mailbox, seq: number, item: Item, device: Device, recorded: () => void): void
  lost(mailbox: Mailbox, seq: number, item: Item): void
  mailbox(box: BoxName): Mailbox
  /** The device takes receipts: its user wants them from now on. */
  receiptsWanted(): void
  ageMs(): number
}

type Delivery = { readonly drain: Drain; readonly seq: number }

/** A topic with the highest QoS [MQTT-3.3.4-2] and all identifiers [MQTT-3.3.4-4] of its filters. */
type Granted = Required<Pick<Outgoing, 'topic' | 'qos' | 'identifiers'>>

export class DeviceSession implements DrainOutlet {
  readonly port: DevicePort
  readonly device: Device
  readonly #office: SessionOffice
  readonly #parts: { journal: EntryReader; clock: Clock; log: Log }
  readonly #drains = new Map<BoxName, Drain>()
  readonly #inFlight = new Map<number, Delivery>()
  readonly #windowMax: number
  #filters: readonly Filter[] = []
  #isOpen = true

  constructor(parts: {
    office: SessionOffice
    port: DevicePort
    device: Device
    journal: EntryReader
    clock: Clock
    log: Log
  }) {
    this.#office = parts.office
    this.port = parts.port
    this.device = parts.device
    this.#parts = parts
    this.#windowMax = Math.min(LIMITS.inFlightPerDeviceMax, parts.port.receiveMaximum)
  }

  get deviceNumber(): number {
    return this.device.number
  }

  get canSend(): boolean {
    const isFull = this.#inFlight.size >= this.#windowMax || this.port.isWindowFull
    return this.#isOpen && !isFull && !this.port.isCongested
  }

  /** Deliveries that the device has not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Sets the subscriptions of the device; drains start for boxes that these reach. */
  subscribed(filters: readonly Filter[]): void {
    // A SUBSCRIBE may end after its connection has.
    if (!this.#isOpen) return
    // Others, of which there may be many, bring no mail.
    this.#filters = filters.filter((one) => boxesReached(this.port.user, [one]).length > 0)
    const held = filters.filter(({ qos }) => qos > 0)
    if (boxesReached(this.port.user, held).includes('receipts')) this.#office.receiptsWanted()
    for (const box of boxesReached(this.port.user, filters)) this.#open(box)
    // A filter may match now what was skipped before: look through the boxes again.
    for (const drain of this.#drains.values()) drain.restart()
  }

  #open(box: BoxName): void {
    if (this.#drains.has(box)) return
    const mailbox = this.#office.mailbox(box)
    const cursor = mailbox.cursor(this.port.device)
    const drain = new Drain({ ...this.#parts, mailbox, outlet: this, cursor })
    this.#drains.set(box, drain)
    drain.start()
  }

  /** PUBACK or PUBCOMP: the device is done with a packet identifier; false where it has none such. */
  completed(packetId: number): boolean {
    const delivery = this.#inFlight.get(packetId)
    if (delivery === undefined) return false
    this.#inFlight.delete(packetId)
    const { drain, seq } = delivery
    const item = drain.inFlight(seq)
    drain.finished(seq)
    if (item !== undefined) this.#office.acknowledged(drain.mailbox, seq, item, this.device)
    this.resume()
    return true
  }

  /** PUBREC: the device has the message; `recorded` is called when that is on disk. */
  received(packetId: number, recorded: () => void): void {
    const delivery = this.#inFlight.get(packetId)
    const item = delivery?.drain.inFlight(delivery.seq)
    // Nothing is known of it any more: let the client finish [MQTT-4.3.3-1].
    if (delivery === undefined || item === undefined) recorded()
    else this.#office.received(delivery.drain.mailbox, delivery.seq, item, this.device, recorded)
  }

  /** There is room again: in the window, or because the socket has taken what waited. */
  resume(): void {
    for (const drain of this.#drains.values()) drain.pump()
  }

  /** The connection is gone; what was on its way stays in the boxes. */
  close(): void {
    // A second time nothing is on its way any more, and the cursors would say so.
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const [box, { mailbox, cursor }] of this.#drains) {
      // A client may have any number of names; only those that hold mail are bounded.
      const isKept = this.device.holds[box] && mailbox.messages > 0
      if (isKept) mailbox.setCursor(this.port.device, cursor)
    }
    for (const drain of this.#drains.values()) drain.stop()
    this.#inFlight.clear()
  }

  send(drain: Drain, mail: Mail): 'sent' | 'wait' | 'skip' {
    const topic = topicOf(mail.content)
    const granted = this.#granted(topic)
    if (granted === undefined || granted.qos === 0) return 'skip'
    if (mail.item.deadlineMs <= this.#office.ageMs()) return 'skip'
    const packetId = packetIdOf(mail.seq)
    if (this.#inFlight.has(packetId)) return 'wait'
    const qos = granted.qos === 2 && mail.content.kind === 'message' ? mail.content.message.qos : 1
    // A QoS 2 delivery must survive a crash: the client will not take its identifier for another
    // message before it is released.
    if (qos === 2 && drain.mailbox.isFresh(mail.seq)) return 'wait'
    this.#inFlight.set(packetId, { drain, seq: mail.seq })
    if (mail.item.received.includes(this.device.number)) this.#goOn(drain, packetId)
    else if (!this.port.publish(this.#outgoing(drain, mail, { ...granted, qos }, packetId))) {
      // It stays in the box: another device, or this one with more room, may come for it.
      this.#inFlight.delete(packetId)
      const { user, device } = this.port
      this.#parts.log.info({ user, device, topic }, 'a message is longer than its device takes')
      return 'skip'
    }
    return 'sent'
  }

  /** Goes on with a QoS 2 delivery that an earlier connection began. */
  #goOn(drain: Drain, packetId: number): void {
    if (this.port.isResumed) {
      this.port.release(packetId)
      return
    }
    // The client has the message but has forgotten the identifier with its session.
    queueMicrotask(() => {
      if (this.#inFlight.get(packetId)?.drain === drain) this.completed(packetId)
    })
  }

  copy(content: Content, deadlineMs = 0): void {
    const granted = this.#granted(topicOf(content))
    if (granted?.qos === 0) this.#publishCopy(content, granted, deadlineMs)
  }

  tell(content: Content): void {
    const granted = this.#granted(topicOf(content))
    if (granted !== undefined) this.#publishCopy(content, granted, 0)
  }

  #publishCopy(content: Content, granted: Granted, deadlineMs: number): void {
    // QoS 0 is for the moment: a slow reader does without.
    if (this.port.isCongested) return
    this.port.publish({
      ...this.#publish(content, deadlineMs),
      ...granted,
      qos: 0,
      packetId: 0,
      isDuplicate: false,
    })
  }

  lost(mailbox: Mailbox, seq: number, item: Item): void {
    this.#office.lost(mailbox, seq, item)
  }

  #outgoing(drain: Drain, mail: Mail, granted: Granted, packetId: number): Outgoing {
    const isDuplicate = drain.mailbox.markSent(this.device.number, mail.seq)
    const publish = this.#publish(mail.content, mail.item.deadlineMs)
    return { ...publish, ...granted, packetId, isDuplicate }
  }

  #publish(
    content: Content,
    deadlineMs: number,
  ): Omit<Outgoing, keyof Granted | 'packetId' | 'isDuplicate'> {
    if (content.kind === 'receipt') {
      return { payload: Buffer.from(receiptPayload(content.receipt)) }
    }
    const { message } = content
    const leftMs = deadlineMs - this.#office.ageMs()
    return {
      payload: message.payload,
      expiresInS: Math.max(1, Math.ceil(leftMs / 1000)),
      marks: [
        ['waypost-accepted-at', new Date(message.accepted.atMs).toISOString()],
        ['waypost-from', message.from],
      ],
      ...(message.properties === undefined ? {} : { properties: message.properties }),
    }
  }

  /** What the filters that match grant together, or `undefined` where none does. */
  #granted(topic: string): Granted | undefined {
    let best: 0 | 1 | 2 | undefined
    const identifiers: number[] = []
    for (const { filter, qos, identifier } of this.#filters) {
      if (!filterMatches(filter, topic)) continue
      if (best === undefined || qos > best) best = qos
      if (identifier !== undefined) identifiers.push(identifier)
    }
    return best === undefined ? undefined : { topic, qos: best, identifiers }
  }
}

function topicOf(content: Content): string {
  if (content.kind === 'message') {
    const { to, from, id } = content.message
    return inboxTopic(to, from, id)
  }
  const { from, to, id } = content.receipt
  return receiptTopic(from, to, id)
}

/** Which boxes of the user any of the filters reaches. */
export function boxesReached(user: string, filters: readonly Filter[]): BoxName[] {
  const boxes: BoxName[] = ['inbox', 'receipts']
  return boxes.filter((box) =>
    filters.some(({ filter }) => filtersMeet(filter, `users/${user}/${box}/+/+`)),
  )
}
