/** A persistence on a store in a directory of its own, which can be restarted. */
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Packet } from '../../../src/broker/persistence/packet.ts'
import { Persistence, type PersistenceBounds } from '../../../src/broker/persistence/persistence.ts'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { LIMITS } from '../../../src/limits.ts'
import type { Log } from '../../../src/log.ts'
import type { Disk, DiskSpace } from '../../../src/store/disk.ts'
import { Store } from '../../../src/store/store.ts'

/** A log that keeps what it is told. */
export class KeptLog implements Log {
  readonly lines: { fields: object; text: string }[] = []

  debug(fields: object, text: string): void {
    this.lines.push({ fields, text })
  }

  info(fields: object, text: string): void {
    this.lines.push({ fields, text })
  }

  warn(fields: object, text: string): void {
    this.lines.push({ fields, text })
  }

  error(fields: object, text: string): void {
    this.lines.push({ fields, text })
  }
}

/** A clock that goes when it is told to. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #timers = new Set<{ atMs: number; run: () => void }>()

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  quality(): 'none' {
    return 'none'
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue
      this.#timers.delete(timer)
      timer.run()
    }
  }
}

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

export class Rig {
  readonly log = new KeptLog()
  readonly clock = new ManualClock()
  readonly disk = new ToldDisk()
  readonly path: string
  readonly #bounds: PersistenceBounds
  store: Store
  persistence: Persistence

  private constructor(path: string, bounds: Partial<PersistenceBounds>) {
    this.path = path
    this.#bounds = { ...LIMITS, ...bounds }
    this.store = this.#newStore()
    this.persistence = this.#newPersistence()
  }

  /** @param path a folder that already holds a store; a new one where absent */
  static async open(
    t: Test,
    bounds: Partial<PersistenceBounds> = {},
    path: string = join(t.testdir(), 'store'),
  ): Promise<Rig> {
    const rig = new Rig(path, bounds)
    t.teardown(() => rig.store.stop())
    await rig.#start()
    return rig
  }

  async restart(): Promise<void> {
    await this.store.stop()
    this.store = this.#newStore()
    this.persistence = this.#newPersistence()
    await this.#start()
  }

  async #start(): Promise<void> {
    await this.store.start(
      (key, value) => this.persistence.visit(key, value),
      () => {
        this.persistence = this.#newPersistence()
      },
    )
    await this.persistence.setup(broker())
  }

  #newStore(): Store {
    const parts = { clock: systemClock, log: new KeptLog(), disk: this.disk }
    return new Store(parts, { path: this.path })
  }

  #newPersistence(): Persistence {
    const { store, log, clock } = this
    return new Persistence({ store, log, clock }, this.#bounds)
  }
}

function broker(): { id: string; counter: number } {
  return { id: 'relay', counter: 0 }
}

/** All that a stream brings. */
export async function listOf(stream: AsyncIterable<Packet>): Promise<Packet[]> {
  const packets: Packet[] = []
  for await (const packet of stream) packets.push(packet)
  return packets
}

/** The payloads of packets, as text. */
export function payloads(packets: readonly Packet[]): string[] {
  return packets.map(({ payload = '' }) => Buffer.from(payload).toString())
}
