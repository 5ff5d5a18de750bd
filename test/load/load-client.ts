/**
 * An MQTT client for load and drills: raw sockets, packets parsed in place, one write a loop
 * turn, acknowledgements at once. It repeats nothing by itself; who sends again, and what, is the
 * caller's business (pump.ts, and the drill's sender).
 */
import { createConnection, type Socket } from 'node:net'
import { FrameReader } from './frame-reader.ts'
import {
  type ConnectOptions,
  DISCONNECT,
  encodeConnect,
  encodeSubscribe,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
} from './packets.ts'

export type LoadClientOptions = ConnectOptions & { readonly host: string; readonly port: number }

/** What a client's owner hears of. No call keeps the bytes: they are the socket's. */
export type LoadClientEvents = {
  /** PUBACK; `reason` is 0 on 3.1.1. 0x80 and above is a refusal. */
  acknowledged?(packetId: number, reason: number): void
  /** PUBREC: the broker has a QoS 2 message; the client has answered with PUBREL. */
  taken?(packetId: number, reason: number): void
  /** PUBCOMP: the packet id of a QoS 2 message is free again. */
  completed?(packetId: number): void
  /**
   * A PUBLISH, already acknowledged in this turn's write. One of QoS 2 is told of once, however
   * often it comes before its PUBREL.
   */
  arrived?(bytes: Buffer, topicAt: number, topicEnd: number, payloadAt: number, end: number): void
  /** The socket is gone, for whatever reason; called once. */
  closed?(): void
}

/** What outlives a connection of a client that keeps its session. */
export type Session = {
  /** Packet ids of QoS 2 messages that came and are not released yet. */
  readonly received: Set<number>
}

export type Connected = { readonly sessionPresent: boolean }

/** The broker answered, and the answer is no. */
export class Refused extends Error {
  /** CONNACK's return code (3.1.1) or a reason code (5). */
  readonly reason: number

  constructor(what: string, reason: number) {
    super(`the broker refused ${what}, code ${reason}`)
    this.reason = reason
  }
}

type Waiting = { resolve(reason: number): void; reject(error: Error): void }

const FRAME_BUFFER_BYTES = 64 * 1024

export class LoadClient {
  readonly #options: LoadClientOptions
  readonly #events: LoadClientEvents
  readonly #reader: FrameReader
  readonly #session: Session
  #socket: Socket | undefined
  #out = Buffer.allocUnsafe(FRAME_BUFFER_BYTES)
  #outLength = 0
  #isFlushing = false
  #sessionPresent = false
  #nextId = 0
  readonly #waiting = new Map<string, Waiting>()

  constructor(parts: { events: LoadClientEvents; session?: Session }, options: LoadClientOptions) {
    this.#events = parts.events
    this.#session = parts.session ?? { received: new Set() }
    this.#options = options
    this.#reader = new FrameReader((bytes, first, start, end) =>
      this.#take(bytes, first, start, end),
    )
  }

  /** @throws Refused, or Error where the connection ends before CONNACK */
  async connect(): Promise<Connected> {
    const { host, port } = this.#options
    const socket = createConnection({ host, port, noDelay: true })
    this.#socket = socket
    socket.on('connect', () => socket.write(encodeConnect(this.#options)))
    socket.on('data', (chunk: Buffer) => this.#reader.push(chunk))
    // 'close' always follows, and is where everybody who waits is told.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
    const reason = await this.#waitFor('connack')
    if (reason !== 0) throw new Refused(`the sign-in of ${this.#options.username}`, reason)
    return { sessionPresent: this.#sessionPresent }
  }

  /** Resolves at SUBACK. @throws Refused, or Error where the connection ends first */
  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    this.#nextId = (this.#nextId % 0xffff) + 1
    const id = this.#nextId
    this.send(encodeSubscribe(this.#options.version, id, filter, qos))
    const reason = await this.#waitFor(`suback ${id}`)
    if (reason >= 0x80) throw new Refused(`the subscription to ${filter}`, reason)
  }

  /** Resolves when the broker has answered a PINGREQ: it has taken all that was sent before. */
  async ping(): Promise<void> {
    this.send(PINGREQ)
    await this.#waitFor('pingresp')
  }

  /** Puts a whole packet into this turn's write; the bytes are copied at once. */
  send(frame: Buffer): void {
    if (this.#outLength + frame.length > this.#out.length) this.#grow(frame.length)
    this.#out.set(frame, this.#outLength)
    this.#outLength += frame.length
    this.#schedule()
  }

  /** PUBREL: the second half of a QoS 2 message that the broker has. */
  release(packetId: number): void {
    this.#answerPacket(PUBREL, packetId)
  }

  /** Resolves when the socket is closed and all that came before is read. */
  async closed(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.closed) return
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  }

  /** Says DISCONNECT and resolves when the socket is closed. Idempotent. */
  async disconnect(): Promise<void> {
    this.#flush()
    this.#socket?.end(DISCONNECT)
    await this.closed()
  }

  /** Cuts the connection at once; nothing that is still in the kernel is heard. */
  drop(): void {
    this.#socket?.destroy()
  }

  #answerPacket(type: number, packetId: number): void {
    if (this.#outLength + 4 > this.#out.length) this.#grow(4)
    const out = this.#out
    let at = this.#outLength
    out[at++] = type
    out[at++] = 2
    out[at++] = packetId >> 8
    out[at++] = packetId & 0xff
    this.#outLength = at
    this.#schedule()
  }

  #grow(extra: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#outLength + extra))
    bigger.set(this.#out.subarray(0, this.#outLength))
    this.#out = bigger
  }

  #schedule(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    process.nextTick(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushing = false
    const socket = this.#socket
    if (this.#outLength === 0 || socket === undefined) return
    // The socket may hold on to the bytes, so they must be its own.
    const bytes = Buffer.from(this.#out.subarray(0, this.#outLength))
    this.#outLength = 0
    if (socket.writable) socket.write(bytes)
  }

  #take(bytes: Buffer, first: number, start: number, end: number): void {
    const type = first & 0xf0
    if (type === 0x30) this.#takePublish(bytes, first, start, end)
    else if (type >= PUBACK && type <= PUBCOMP) {
      const reason = end - start > 2 ? (bytes[start + 2] ?? 0) : 0
      this.#takeAnswer(first, bytes.readUInt16BE(start), reason)
    } else if (type === 0x20) {
      this.#sessionPresent = ((bytes[start] ?? 0) & 1) === 1
      if (!this.#sessionPresent) this.#session.received.clear()
      this.#answer('connack', bytes[start + 1] ?? 0)
    } else if (type === 0x90) {
      this.#answer(`suback ${bytes.readUInt16BE(start)}`, bytes[end - 1] ?? 0)
    } else if (type === 0xd0) this.#answer('pingresp', 0)
    // DISCONNECT of MQTT 5 needs no answer: the close that follows is what counts.
  }

  #takeAnswer(type: number, packetId: number, reason: number): void {
    if (type === PUBACK) this.#events.acknowledged?.(packetId, reason)
    else if (type === PUBREC) {
      if (reason < 0x80) this.release(packetId)
      this.#events.taken?.(packetId, reason)
    } else if (type === PUBREL) {
      this.#session.received.delete(packetId)
      this.#answerPacket(PUBCOMP, packetId)
    } else if (type === PUBCOMP) this.#events.completed?.(packetId)
  }

  #takePublish(bytes: Buffer, first: number, start: number, end: number): void {
    const topicAt = start + 2
    const topicEnd = topicAt + bytes.readUInt16BE(start)
    const qos = (first >> 1) & 3
    let at = qos > 0 ? topicEnd + 2 : topicEnd
    if (this.#options.version === 5) at = skipProperties(bytes, at)
    if (qos === 1) this.#answerPacket(PUBACK, bytes.readUInt16BE(topicEnd))
    if (qos === 2 && !this.#isNew(bytes.readUInt16BE(topicEnd))) return
    this.#events.arrived?.(bytes, topicAt, topicEnd, at, end)
  }

  /** Whether a QoS 2 message has not come before; it is acknowledged in any case. */
  #isNew(packetId: number): boolean {
    this.#answerPacket(PUBREC, packetId)
    if (this.#session.received.has(packetId)) return false
    this.#session.received.add(packetId)
    return true
  }

  #waitFor(what: string): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#socket === undefined || this.#socket.closed) {
        reject(new Error(`not connected, so no ${what}`))
        return
      }
      this.#waiting.set(what, { resolve, reject })
    })
  }

  #answer(what: string, reason: number): void {
    this.#waiting.get(what)?.resolve(reason)
    this.#waiting.delete(what)
  }

  #closed(): void {
    for (const [what, waiting] of this.#waiting) {
      waiting.reject(new Error(`the connection of ${this.#options.clientId} ended before ${what}`))
    }
    this.#waiting.clear()
    this.#events.closed?.()
  }
}

function skipProperties(bytes: Buffer, at: number): number {
  let length = 0
  let scale = 1
  for (let next = at; ; next++) {
    const byte = bytes[next] ?? 0
    length += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) return next + 1 + length
  }
}
