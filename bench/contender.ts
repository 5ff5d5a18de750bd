/** A broker on one core and the load for it on another, ready to be measured. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Address, Broker, Credential } from '../test/drill/broker.ts'
import type { Cleanup } from '../test/drill/cleanup.ts'
import type { FanOptions } from './fan.ts'
import { LoadProcess } from './load-process.ts'
import type { Answer, Command, LoadOptions } from './load-protocol.ts'
import { cpuMs, residentBytes } from './process-cost.ts'

export const BROKER_CORE = 0
export const LOAD_CORE = 1
const REST_MS = 8_000

export type Measured = Answer & {
  readonly perSecond: number
  /** Deliveries in that time. */
  readonly arrivedPerSecond: number
  /** For each second of CPU time: what is left of the rate when neighbours take the core. */
  readonly perCpuSecond: number
  /** Share of its core that each had, 0 to 1. */
  readonly brokerCpu: number
  readonly loadCpu: number
}

export class Contender {
  readonly broker: Broker
  readonly #load = new LoadProcess({ core: LOAD_CORE })
  #address: Address = { host: '', port: 0 }
  users: readonly Credential[] = []
  /** Memory of the broker just started, before anybody had connected. */
  startedBytes = 0

  constructor(parts: { broker: Broker }) {
    this.broker = parts.broker
  }

  get name(): string {
    return this.broker.name
  }

  /** Users added, broker and load process running; everything is undone by `cleanup`. */
  async start(names: readonly string[], options: LoadOptions, cleanup: Cleanup): Promise<void> {
    cleanup.add(() => this.broker.kill())
    cleanup.add(() => this.#load.stop())
    const users = await this.broker.addUsers(names)
    this.users = users
    this.#address = await this.broker.start()
    this.startedBytes = await this.residentBytes()
    this.#load.start()
    await this.#load.tell({ do: 'prepare', users, options })
  }

  /** An orderly stop and a new start; nobody is connected then. */
  async restartBroker(): Promise<void> {
    await this.#load.tell({ do: 'leave' })
    await this.broker.stop()
    this.#address = await this.broker.start()
  }

  /** The devices of all users are known from now on, and away. */
  async register(): Promise<void> {
    await this.#load.tell({ do: 'register', address: this.#address })
  }

  /** All publishers are online. */
  async connect(options: { readonly wantsReceipts: boolean }): Promise<void> {
    await this.#load.tell({ do: 'connect', address: this.#address, ...options })
  }

  /** All devices are online. */
  async receive({ clean } = { clean: false }): Promise<void> {
    await this.#load.tell({ do: 'receive', address: this.#address, clean })
  }

  async awaitArrivals(arrivals: number): Promise<void> {
    await this.#load.tell({ do: 'await', arrivals })
  }

  /** Nobody is connected any longer. */
  async leave(): Promise<void> {
    await this.#load.tell({ do: 'leave' })
  }

  /** One publisher and many readers of a topic are online. */
  async fan(fan: Omit<FanOptions, 'address'>): Promise<void> {
    await this.#load.tell({ do: 'fan', fan: { address: this.#address, ...fan } })
  }

  /** The publisher of the fan sends for so long. */
  async blow(ms: number): Promise<Measured> {
    return this.#measure({ do: 'blow', ms })
  }

  async publish(much: { ms: number } | { messages: number }): Promise<Measured> {
    return this.#measure({ do: 'publish', ...much })
  }

  async #measure(command: Command): Promise<Measured> {
    const before = await cpuMs(this.broker.pid)
    const answer = await this.#load.tell(command)
    const used = (await cpuMs(this.broker.pid)) - before
    return {
      ...answer,
      arrivedPerSecond: (answer.arrived * 1000) / answer.ms,
      perSecond: (answer.acknowledged * 1000) / answer.ms,
      perCpuSecond: (answer.acknowledged * 1000) / used,
      brokerCpu: used / answer.ms,
      loadCpu: answer.cpuMs / answer.ms,
    }
  }

  residentBytes(): Promise<number> {
    return residentBytes(this.broker.pid)
  }

  /** Memory of the broker once it has had nothing to do for a while. */
  async restingBytes(): Promise<number> {
    await delay(REST_MS)
    return this.residentBytes()
  }
}

/** Names of so many users. */
export function benchUsers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `u${index}`)
}
