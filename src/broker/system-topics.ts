/**
 * `$SYS/broker/…`: the state of the broker for admins, under the names that Mosquitto has given
 * it, so that dashboards and exporters made for it work. Every ten seconds what has changed is
 * published, retained in memory alone.
 */
import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { Connections } from './connections.ts'
import { Load } from './load.ts'
import type { OrdinaryTopics } from './ordinary/topics.ts'
import type { Traffic } from './traffic.ts'

export type SystemParts = {
  readonly clock: Clock
  readonly traffic: Traffic
  readonly version: string
  readonly connections: Pick<Connections, 'clients' | 'kept'>
  readonly topics: Pick<OrdinaryTopics, 'stats'>
  readonly mailboxes: Pick<Mailboxes, 'queued' | 'bytes'>
  readonly publish: (topic: string, text: string) => void
}

const ROOT = '$SYS/broker'

export class SystemTopics {
  readonly #parts: SystemParts
  readonly #told = new Map<string, string>()
  readonly #loads = new Map<string, Load>()
  readonly #startedMs: number
  #lookedMs: number
  #heapMax = 0
  #cancel: () => void = () => undefined

  constructor(parts: SystemParts) {
    this.#parts = parts
    this.#startedMs = parts.clock.monotonicMs()
    this.#lookedMs = this.#startedMs
  }

  start(): void {
    this.#tell('version', `waypost version ${this.#parts.version}`)
    this.#look()
  }

  stop(): void {
    this.#cancel()
  }

  #look(): void {
    for (const [topic, value] of this.#figures()) this.#tell(topic, String(value))
    for (const [topic, text] of this.#averages()) this.#tell(topic, text)
    this.#cancel = this.#parts.clock.after(LIMITS.systemTopicsMs, () => this.#look())
  }

  #tell(topic: string, text: string): void {
    if (this.#told.get(topic) === text) return
    this.#told.set(topic, text)
    this.#parts.publish(`${ROOT}/${topic}`, text)
  }

  #figures(): [topic: string, value: number | string][] {
    const { clock, traffic } = this.#parts
    const { received, sent } = traffic
    // process.memoryUsage opens a file, which can fail.
    const heap = getHeapStatistics().used_heap_size
    this.#heapMax = Math.max(this.#heapMax, heap)
    const uptimeS = Math.floor((clock.monotonicMs() - this.#startedMs) / 1000)
    return [
      ['uptime', `${uptimeS} seconds`],
      ...this.#stock(),
      ['bytes/received', received.bytes],
      ['bytes/sent', sent.bytes],
      ['messages/received', received.packets],
      ['messages/sent', sent.packets],
      ['publish/messages/received', received.publishes],
      ['publish/messages/sent', sent.publishes],
      ['publish/bytes/received', received.publishBytes],
      ['publish/bytes/sent', sent.publishBytes],
      ['heap/current', heap],
      ['heap/maximum', this.#heapMax],
    ]
  }

  /** What there is now. */
  #stock(): [topic: string, value: number][] {
    const { traffic, connections, topics, mailboxes } = this.#parts
    const { clients } = connections
    const { sessions, subscriptions, retained, queued, queuedDropped } = topics.stats
    const away = Math.max(0, sessions - connections.kept)
    const stored = mailboxes.queued + queued + retained
    return [
      ['clients/connected', clients],
      ['clients/active', clients],
      ['clients/disconnected', away],
      ['clients/inactive', away],
      ['clients/maximum', traffic.clientsMax],
      ['clients/total', clients + away],
      ['subscriptions/count', subscriptions],
      ['retained messages/count', retained],
      ['store/messages/count', stored],
      ['messages/stored', stored],
      ['store/messages/bytes', mailboxes.bytes],
      ['publish/messages/dropped', queuedDropped],
    ]
  }

  *#averages(): Generator<[topic: string, text: string]> {
    const { clock, traffic, topics } = this.#parts
    const { received, sent, sockets, connects } = traffic
    const nowMs = clock.monotonicMs()
    const elapsedMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    const totals = {
      'messages/received': received.packets,
      'messages/sent': sent.packets,
      'publish/received': received.publishes,
      'publish/sent': sent.publishes,
      'publish/dropped': topics.stats.queuedDropped,
      'bytes/received': received.bytes,
      'bytes/sent': sent.bytes,
      sockets,
      connections: connects,
    }
    for (const [name, total] of Object.entries(totals)) {
      const load = this.#loads.get(name) ?? new Load()
      this.#loads.set(name, load)
      if (elapsedMs > 0) load.update(total, elapsedMs)
      for (const [window, text] of load.entries()) yield [`load/${name}/${window}`, text]
    }
  }
}
