/** Ordinary topics on a store in a directory of its own, which can be restarted. */
import { join } from 'node:path'
import type { Test } from 'tap'
import type { OrdinaryMessage } from '../../../src/broker/ordinary/message.ts'
import type { OrdinarySession, SessionPort } from '../../../src/broker/ordinary/session.ts'
import type { Subscription } from '../../../src/broker/ordinary/subscription.ts'
import { OrdinaryTopics } from '../../../src/broker/ordinary/topics.ts'
import { systemClock } from '../../../src/clock.ts'
import type { Outgoing } from '../../../src/delivery/port.ts'
import type { Disk, DiskSpace } from '../../../src/store/disk.ts'
import { Store } from '../../../src/store/store.ts'
import { KeptLog } from '../../support/kept-log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A disk that is full when it is told so. */
class ToldDisk implements Disk {
  isFull = false

  async space(): Promise<DiskSpace> {
    return { totalBytes: 1e12, freeBytes: this.isFull ? 0 : 1e11 }
  }

  async allocate(): Promise<void> {
    // Nothing runs out of room here.
  }

  async free(): Promise<void> {
    // Nothing was allocated.
  }
}

/** An empty store, stopped when the test ends. */
export async function freshStore(t: Test): Promise<Store> {
  const parts = { clock: systemClock, log: new KeptLog(), disk: new ToldDisk() }
  const store = new Store(parts, { path: t.testdir() })
  t.teardown(() => store.stop())
  await store.start(() => undefined)
  return store
}

/** A client, as a session sees it. */
export class Client implements SessionPort {
  receiveMaximum = 65_535
  mailInFlight = 0
  isCongested = false
  isSlow = false
  packetBytesMax = Number.POSITIVE_INFINITY
  /** Topics that it may not read. */
  readonly secrets = new Set<string>()
  readonly got: Outgoing[] = []
  readonly released: number[] = []
  #looks: (() => void)[] = []

  mayRead(topic: string): boolean {
    return !this.secrets.has(topic)
  }

  publish(outgoing: Outgoing): boolean {
    if (outgoing.payload.length > this.packetBytesMax) return false
    this.got.push({ ...outgoing, payload: Buffer.from(outgoing.payload) })
    this.#look()
    return true
  }

  release(packetId: number): void {
    this.released.push(packetId)
    this.#look()
  }

  tooSlow(): void {
    this.isSlow = true
  }

  get texts(): string[] {
    return this.got.map(({ payload }) => Buffer.from(payload).toString())
  }

  /** Waits until it has got so many publishes and releases. */
  async received(count: number): Promise<void> {
    while (this.got.length + this.released.length < count) {
      await new Promise<void>((resolve) => this.#looks.push(resolve))
    }
  }

  #look(): void {
    for (const look of this.#looks.splice(0)) look()
  }
}

export class Rig {
  readonly log = new KeptLog()
  readonly clock = new ManualClock()
  readonly disk = new ToldDisk()
  readonly path: string
  store: Store
  topics: OrdinaryTopics

  private constructor(path: string) {
    this.path = path
    this.store = this.#newStore()
    this.topics = this.#newTopics()
  }

  /** @param path a folder that already holds a store; a new one where absent */
  static async open(t: Test, path: string = join(t.testdir(), 'store')): Promise<Rig> {
    const rig = new Rig(path)
    t.teardown(() => rig.stop())
    await rig.#start()
    return rig
  }

  async stop(): Promise<void> {
    this.topics.stop()
    await this.store.stop()
  }

  /** Ends and begins again, as after SIGTERM; sessions that are connected end without a word. */
  async restart(): Promise<void> {
    await this.stop()
    this.store = this.#newStore()
    this.topics = this.#newTopics()
    await this.#start()
  }

  async #start(): Promise<void> {
    await this.store.start(
      (key, value) => this.topics.visit(key, value),
      () => {
        this.topics = this.#newTopics()
      },
    )
    this.topics.start()
  }

  #newStore(): Store {
    const parts = { clock: systemClock, log: new KeptLog(), disk: this.disk }
    return new Store(parts, { path: this.path })
  }

  #newTopics(): OrdinaryTopics {
    const { store, log, clock } = this
    return new OrdinaryTopics({ store, log, clock, ageMs: () => clock.monotonicMs() })
  }

  /** Connects a client whose session is kept for an hour, or ends with its connection. */
  connect(id: string, options: { outlivesS?: number; client?: Client } = {}) {
    const { outlivesS = 3600, client = new Client() } = options
    const session = this.topics.connected(id, { outlivesS }, client)
    return { client, session, leave: () => this.topics.disconnected(session, { outlivesS }) }
  }

  /** Subscribes with QoS 1 where nothing else is said. */
  subscribe(session: OrdinarySession, filter: string, more: Partial<Subscription> = {}): boolean {
    const wanted = subscription(filter, more)
    const isNew = this.topics.record(session, filter, wanted)
    this.topics.subscribe(session, filter, wanted)
    return isNew
  }

  /** Publishes with QoS 1 where nothing else is said; resolves when it is safe. */
  publish(
    topic: string,
    text: string,
    more: Partial<OrdinaryMessage> = {},
    from?: OrdinarySession,
  ): Promise<void> {
    return new Promise((done) => this.topics.publish(message(topic, text, more), from, done))
  }
}

export function message(
  topic: string,
  text: string,
  more: Partial<OrdinaryMessage> = {},
): OrdinaryMessage {
  const payload = Buffer.from(text)
  const deadlineMs = Number.POSITIVE_INFINITY
  return { topic, payload, qos: 1, isRetained: false, properties: undefined, deadlineMs, ...more }
}

export function subscription(filter: string, more: Partial<Subscription> = {}): Subscription {
  return {
    filter,
    group: undefined,
    qos: 1,
    isNoLocal: false,
    isAsPublished: false,
    identifier: undefined,
    ...more,
  }
}
