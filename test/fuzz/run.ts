/**
 * One run of the fuzzer: a relay of its own as a child process, many short connections at once,
 * and a probe that watches from beside.
 */

import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { residentBytes } from '../../bench/process-cost.ts'
import type { Credential } from '../drill/broker.ts'
import { Cleanup } from '../drill/cleanup.ts'
import { RelayProcess } from '../drill/relay-process.ts'
import type { Account } from './grammar.ts'
import { USERS } from './names.ts'
import { Player } from './player.ts'
import { Probe } from './probe.ts'
import { type Script, scriptOf } from './script.ts'
import { type Ports, transportOf } from './transport.ts'

export type FuzzTask = {
  readonly seed: number
  readonly packets: number
  /** How long the relay may take after the run to give memory back. */
  readonly restMsMax: number
}

export type FuzzResult = {
  readonly packets: number
  readonly connections: number
  readonly closedByRelay: number
  readonly longestPingMs: number
  readonly rssBeforeBytes: number
  readonly rssAfterBytes: number
  /** What should not have been, each with the bytes of its connections; empty where all is well. */
  readonly findings: readonly string[]
}

const CONNECTIONS_AT_ONCE = 24
const CLIENTS_PER_USER = 12
const PING_MS_MAX = 2_000
const RSS_GROWTH_BYTES_MAX = 160 * 1024 * 1024
const REST_LOOK_MS = 250
/** Looks in a row at which memory is no less than before: it rests. */
const REST_LOOKS = 24
/** Node's own warnings, and what the relay calls an error. A warning may be of a bound that was reached. */
const COMPLAINT = /^.*(\(node:\d+\)|Unhandled|Uncaught|^\S+ error ).*$/gim

export async function runFuzz(task: FuzzTask): Promise<FuzzResult> {
  const cleanup = new Cleanup()
  return cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-fuzz-')
    const relay = new RelayProcess({
      dataDir: join(folder, 'data'),
      configDir: folder,
      extraConfig: [
        // Every second run also exercises the log; the others keep what is unexpected in view.
        `log: { level: ${task.seed % 2 === 0 ? 'info' : 'warn'} }`,
        `access: { rules: [{ who: '*', topics: '#', actions: [publish, subscribe], effect: allow }] }`,
      ],
    })
    cleanup.add(() => relay.kill())
    const users = await relay.addUsers([...USERS, 'probe'])
    return new Fuzz({ relay, users }, task).run()
  })
}

class Fuzz {
  readonly #relay: RelayProcess
  readonly #users: readonly Credential[]
  readonly #accounts: readonly Account[]
  readonly #task: FuzzTask
  readonly #underWay = new Set<Script>()
  readonly #findings: string[] = []
  #packets = 0
  #connections = 0
  #closedByRelay = 0
  #isLost = false

  constructor(parts: { relay: RelayProcess; users: readonly Credential[] }, task: FuzzTask) {
    this.#relay = parts.relay
    this.#users = parts.users
    this.#task = task
    this.#accounts = accountsOf(parts.users)
  }

  async run(): Promise<FuzzResult> {
    const address = await this.#relay.start()
    const { pid } = this.#relay
    const http = Number(/http:\/\/[^\s:/]+:(\d+)/.exec(this.#relay.output)?.[1])
    const probe = this.#probe(address)
    await probe.start()
    const rssBeforeBytes = await residentBytes(pid)
    const ports = { mqtt: address.port, http }
    await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, () => this.#slot(ports)))
    await probe.stop()
    const rssAfterBytes = this.#isLost ? 0 : await this.#rest(pid)
    if (probe.longestPingMs > PING_MS_MAX) {
      this.#findings.push(`a ping took ${Math.round(probe.longestPingMs)} ms`)
    }
    if (rssAfterBytes - rssBeforeBytes > RSS_GROWTH_BYTES_MAX) {
      this.#findings.push(`memory grew from ${rssBeforeBytes} to ${rssAfterBytes} bytes`)
    }
    const said = this.#relay.output.match(COMPLAINT) ?? []
    this.#findings.push(...new Set(said))
    await this.#relay.stop()
    return {
      packets: this.#packets,
      connections: this.#connections,
      closedByRelay: this.#closedByRelay,
      longestPingMs: probe.longestPingMs,
      rssBeforeBytes,
      rssAfterBytes,
      findings: this.#findings,
    }
  }

  #probe(address: { host: string; port: number }): Probe {
    const user = this.#users.find(({ name }) => name === 'probe')
    if (user === undefined) throw new Error('the probe has no user')
    const lost = (why: string) => {
      if (this.#isLost) return
      this.#isLost = true
      // Any of those that were under way may have done it.
      const suspects = [...this.#underWay].map((script) => this.#shown(script))
      const says = this.#relay.output.slice(-2_000)
      this.#findings.push([`the probe is lost: ${why}`, ...suspects, says].join('\n'))
    }
    return new Probe({ lost }, { ...address, ...user })
  }

  /** One connection after the other, until enough was sent. */
  async #slot(ports: Ports): Promise<void> {
    while (this.#packets < this.#task.packets && !this.#isLost) {
      const script = scriptOf(this.#task.seed, this.#connections, this.#accounts)
      this.#connections += 1
      this.#packets += script.packets
      this.#underWay.add(script)
      await this.#play(script, ports)
      this.#underWay.delete(script)
    }
  }

  async #play(script: Script, ports: Ports): Promise<void> {
    const transport = transportOf(script.transport, ports, script.from)
    try {
      const { isClosedByRelay, problem } = await new Player({ transport }, script).play()
      if (isClosedByRelay) this.#closedByRelay += 1
      if (problem !== undefined) this.#findings.push(`${problem}\n${this.#shown(script)}`)
    } catch (error) {
      if (!this.#isLost) this.#findings.push(`${String(error)}\n${this.#shown(script)}`)
    }
  }

  /** A line for the corpus; the password is the one that its users have there. */
  #shown(script: Script): string {
    let hex = script.bytes.toString('hex')
    for (const { password } of this.#users) {
      hex = hex.replaceAll(Buffer.from(password).toString('hex'), '70'.repeat(password.length))
    }
    return `# seed ${this.#task.seed}, connection ${script.number}, ${script.transport}\n${hex}`
  }

  /** Waits until the relay has given back what it no longer needs. */
  async #rest(pid: number): Promise<number> {
    const untilMs = performance.now() + this.#task.restMsMax
    let least = await residentBytes(pid)
    for (let looks = 0; looks < REST_LOOKS && performance.now() < untilMs; looks += 1) {
      await setTimeout(REST_LOOK_MS)
      const bytes = await residentBytes(pid)
      if (bytes < least) looks = 0
      least = Math.min(least, bytes)
    }
    return least
  }
}

function accountsOf(users: readonly Credential[]): Account[] {
  const accounts: Account[] = []
  for (let client = 0; client < CLIENTS_PER_USER; client += 1) {
    for (const { name, password } of users) {
      if (name !== 'probe') accounts.push({ user: name, password, clientId: `device-${client}` })
    }
  }
  return accounts
}
