/**
 * A relay as a process of its own, so that its memory can be read from /proc, with users and
 * things; and what the kernel says of that memory.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { parseField, residentBytes } from '../../bench/process-cost.ts'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import type { Address, Credential } from '../drill/broker.ts'
import { RelayProcess } from '../drill/relay-process.ts'
import { LoadClient, type LoadClientEvents } from '../load/load-client.ts'

export const MIB = 1024 * 1024
/** Tells the kernel to forget the peak of a process's memory (man 5 proc). */
const FORGET_PEAK = '5'

export type ClientOptions = {
  readonly clientId: string
  readonly clean?: boolean
  readonly events?: LoadClientEvents
}

export class FloodRelay {
  readonly address: Address
  readonly #process: RelayProcess

  constructor(process: RelayProcess, address: Address) {
    this.#process = process
    this.address = address
  }

  get mqttPort(): number {
    return this.address.port
  }

  async ask(op: string, input: object = {}): Promise<unknown> {
    return askRelay(await reachRelay(this.#process.dataDir), { op, input }, systemClock)
  }

  /** Its password is of the relay's making, and so cheap to check. */
  async addUser(id: string): Promise<Credential> {
    const answer = (await this.ask('user.add', { id, isAdmin: false })) as { password: string }
    return { name: id, password: answer.password }
  }

  async addThing(id: string): Promise<Credential> {
    const { password } = (await this.ask('thing.add', { id })) as { password: string }
    return { name: `thing:${id}`, password }
  }

  /** A client that has not signed in yet. */
  loadClient(user: Credential, { clientId, clean = true, events = {} }: ClientOptions): LoadClient {
    const { name: username, password } = user
    const who = { ...this.address, version: 4, clientId, username, password, clean } as const
    return new LoadClient({ events }, who)
  }

  /** A client that signs in, and is gone with the test. */
  async client(t: Test, user: Credential, options: ClientOptions): Promise<LoadClient> {
    const client = this.loadClient(user, options)
    t.teardown(() => client.drop())
    await client.connect()
    return client
  }

  residentBytes(): Promise<number> {
    return residentBytes(this.#process.pid)
  }

  /** Time so far that its first thread could have run, but other processes had the processor. */
  async keptWaitingMs(): Promise<number> {
    const { pid } = this.#process
    const [, waitingNs] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ')
    return Number(waitingNs) / 1e6
  }

  /** From here on `peakBytes` looks at what is still to come. */
  async forgetPeak(): Promise<void> {
    await writeFile(`/proc/${this.#process.pid}/clear_refs`, FORGET_PEAK)
  }

  /** The most memory that the process has held, as the kernel counts it: no sample is missed. */
  async peakBytes(): Promise<number> {
    return parseField(await readFile(`/proc/${this.#process.pid}/status`, 'utf8'), 'VmHWM') * 1024
  }
}

/** Starts a relay that is gone with the test. */
export async function startFloodRelay(t: Test): Promise<FloodRelay> {
  const folder = t.testdir()
  const process = new RelayProcess({ dataDir: join(folder, 'data'), configDir: folder })
  t.teardown(() => process.kill())
  return new FloodRelay(process, await process.start())
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
