/**
 * What goes out to one client: packets are gathered and written once a loop turn, since a system
 * call for each packet costs more than all the rest. `Flusher` is the one turn-end for all.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Flow, Traffic } from './traffic.ts'

/** Flushes every outbox that has gathered something in this turn of the loop. */
export class Flusher {
  #dirty: Outbox[] = []

  add(outbox: Outbox): void {
    this.#dirty.push(outbox)
    if (this.#dirty.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const dirty = this.#dirty
    this.#dirty = []
    for (const outbox of dirty) outbox.flush()
  }
}

export class Outbox {
  readonly #socket: Duplex
  readonly #flusher: Flusher
  readonly #sent: Flow
  #packets: Buffer[] = []
  #bytes = 0
  #isOpen = false
  #cancelStuck: (() => void) | undefined
  readonly #clock: Clock
  readonly #stuck: () => void

  /** @param parts.stuck called when the client has taken nothing of a lot for a long time */
  constructor(parts: {
    socket: Duplex
    flusher: Flusher
    traffic: Traffic
    clock: Clock
    stuck: () => void
  }) {
    this.#socket = parts.socket
    this.#flusher = parts.flusher
    this.#sent = parts.traffic.sent
    this.#clock = parts.clock
    this.#stuck = parts.stuck
    parts.socket.on('drain', () => this.#taken())
  }

  /** Bytes that the client has not taken yet. */
  get waiting(): number {
    return this.#bytes + this.#socket.writableLength
  }

  /** Whether so much waits that only what has to be kept is added. */
  get isCongested(): boolean {
    return this.waiting > LIMITS.outboxBytesHigh
  }

  /** Begins to write: CONNACK, and then what was gathered [MQTT-3.2.0-1]. */
  open(connack: Buffer): void {
    this.#isOpen = true
    this.#packets.unshift(connack)
    this.#bytes += connack.length
    this.#sent.packet(connack)
    this.#flusher.add(this)
  }

  push(packet: Buffer): void {
    this.#packets.push(packet)
    this.#bytes += packet.length
    this.#sent.packet(packet)
    if (this.#isOpen && this.#packets.length === 1) this.#flusher.add(this)
  }

  /** Writes what was gathered. */
  flush(): void {
    const [first, ...more] = this.#packets
    if (first === undefined || !this.#isOpen) return
    const bytes = this.#bytes
    this.#packets = []
    this.#bytes = 0
    if (!this.#socket.writable) return
    this.#sent.bytes += bytes
    this.#socket.write(more.length === 0 ? first : Buffer.concat([first, ...more]))
    if (this.isCongested) this.#cancelStuck ??= this.#clock.after(LIMITS.stuckMsMax, this.#stuck)
  }

  /** The connection is over. */
  close(): void {
    this.flush()
    this.#taken()
  }

  /** The client has taken all that waited. */
  #taken(): void {
    this.#cancelStuck?.()
    this.#cancelStuck = undefined
  }
}
