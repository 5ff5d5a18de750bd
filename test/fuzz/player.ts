/**
 * Plays one script to the relay: sends its chunks, acknowledges what comes as a client would, waits
 * for what is owed, and sees the connection end.
 */
import { EventEmitter, once } from 'node:events'
import { type Frame, Framer } from '../../src/broker/framer.ts'
import { ackPacketId, encodeAck, PACKET, packetType } from '../../src/broker/wire.ts'
import { answerIn } from './answers.ts'
import type { Script } from './script.ts'
import type { Transport } from './transport.ts'

export type Played = {
  /** Whether the relay has ended the connection before the client did. */
  readonly isClosedByRelay: boolean
  /** What should not have been; nothing where all is well. */
  readonly problem?: string
}

/** How long the relay may owe an answer, or the end of the connection. */
const ANSWER_MS_MAX = 10_000
/** One of these publishes stays unacknowledged, so that it comes again to the same session. */
const FORGOTTEN_EVERY = 4

export class Player {
  readonly #script: Script
  readonly #transport: Transport
  readonly #framer = new Framer(Number.POSITIVE_INFINITY)
  readonly #changes = new EventEmitter()
  readonly #owed: string[]
  #hasSentAll = false
  #isOver = false

  constructor(parts: { transport: Transport }, script: Script) {
    this.#transport = parts.transport
    this.#script = script
    this.#owed = [...(script.owed ?? [])]
    this.#transport.events.on('data', (chunk) => this.#take(chunk))
    this.#transport.events.on('over', () => {
      this.#isOver = true
      this.#changes.emit('change')
    })
  }

  async play(): Promise<Played> {
    await this.#transport.open()
    for (const chunk of this.#script.chunks) {
      if (this.#isOver) break
      await this.#transport.send(chunk)
    }
    this.#hasSentAll = true
    try {
      return await this.#finish()
    } finally {
      this.#transport.cut()
    }
  }

  async #finish(): Promise<Played> {
    const { owed, isCutOff } = this.#script
    if (isCutOff) return { isClosedByRelay: this.#isOver }
    if (owed !== undefined && !(await this.#until(() => this.#owed.length === 0))) {
      return { isClosedByRelay: false, problem: `no answer: ${this.#owed.join(', ')}` }
    }
    const isClosedByRelay = this.#isOver
    this.#transport.end()
    if (await this.#until(() => false)) return { isClosedByRelay }
    return { isClosedByRelay, problem: 'the connection does not end' }
  }

  /** Whether it comes true, or the connection ends, in time. */
  async #until(isTrue: () => boolean): Promise<boolean> {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.#changes.emit('change')
    }, ANSWER_MS_MAX)
    while (!isTrue() && !this.#isOver && !isLate) await once(this.#changes, 'change')
    clearTimeout(timer)
    return !isLate
  }

  #take(chunk: Buffer): void {
    this.#framer.push(chunk)
    for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
      const at = this.#owed.indexOf(answerIn(frame))
      if (at !== -1) this.#owed.splice(at, 1)
      this.#acknowledge(frame)
    }
    this.#changes.emit('change')
  }

  #acknowledge(frame: Frame): void {
    // Not into the middle of a packet of the script's own.
    if (!this.#hasSentAll || this.#script.owed === undefined) return
    const ack = acknowledgementOf(frame)
    if (ack !== undefined) void this.#transport.send(ack)
  }
}

function acknowledgementOf(frame: Frame): Buffer | undefined {
  const { bytes, bodyAt } = frame
  switch (packetType(bytes)) {
    case PACKET.publish: {
      const qos = ((bytes[0] ?? 0) >> 1) & 3
      const packetId = qos === 0 ? 0 : bytes.readUInt16BE(bodyAt + 2 + bytes.readUInt16BE(bodyAt))
      if (packetId % FORGOTTEN_EVERY === 0) return undefined
      return encodeAck(qos === 1 ? 'puback' : 'pubrec', packetId, 4)
    }
    case PACKET.pubrel:
      return encodeAck('pubcomp', ackPacketId(frame), 4)
    case PACKET.pubrec:
      return encodeAck('pubrel', ackPacketId(frame), 4)
    default:
      return undefined
  }
}
