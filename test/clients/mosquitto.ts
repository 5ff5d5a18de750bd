/** mosquitto_pub, mosquitto_sub and mosquitto_rr (Debian: mosquitto-clients), as people call them. */
import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import type { TestRelay } from '../support/relay.ts'
import { type ClientProcess, type Ending, launch } from './client-process.ts'
import { type Lab, type Person, startLab } from './lab.ts'

const TOOLS = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr'] as const

export type Tool = (typeof TOOLS)[number]

/** Why the tests cannot run here; `false` where they can. */
export const skip = [...TOOLS, 'stdbuf'].every((name) => existsSync(`/usr/bin/${name}`))
  ? false
  : 'mosquitto_pub, mosquitto_sub, mosquitto_rr (Debian: mosquitto-clients) or stdbuf is missing'

export const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'] as const

/** How the lines of messages begin, to tell them from what `-d` says. */
const MARK = '>'

export class Mosquitto {
  readonly relay: TestRelay
  readonly alice: Person
  readonly bob: Person
  readonly #test: Test

  constructor(test: Test, { relay, alice, bob }: Lab) {
    this.#test = test
    this.relay = relay
    this.alice = alice
    this.bob = bob
  }

  static async start(t: Test): Promise<Mosquitto> {
    return new Mosquitto(t, await startLab(t))
  }

  /** Starts a tool as somebody. */
  run(tool: Tool, who: Person, ...args: string[]): ClientProcess {
    const where = ['-h', '127.0.0.1', '-p', `${this.relay.mqttPort}`]
    return launchTool(this.#test, tool, [...where, '-u', who.name, '-P', who.password, ...args])
  }

  /** Publishes as Alice; returns how it ended. */
  async pub(...args: string[]): Promise<Ending> {
    return await this.run('mosquitto_pub', this.alice, ...args).ended()
  }

  /** Subscribes as Bob; returns when the relay has answered. */
  async sub(...args: string[]): Promise<ClientProcess> {
    const client = this.run('mosquitto_sub', this.bob, '-d', ...args)
    await client.line(/^Subscribed \(mid: /)
    return client
  }
}

/** Starts a tool whose lines come one by one: into a pipe it would keep what `-d` says. */
export function launchTool(t: Test, tool: Tool, args: readonly string[]): ClientProcess {
  return launch(t, 'stdbuf', ['-oL', tool, ...args])
}

/** A format that `messages` finds among the lines of `-d`. */
export function format(text: string): string[] {
  return ['-F', `${MARK}${text}`]
}

/** The messages among what mosquitto_sub has printed, for one that was given a `format`. */
export function messages(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(MARK)).map((line) => line.slice(MARK.length))
}

/** Waits for so many messages in all; returns them. */
export async function received(client: ClientProcess, count: number): Promise<string[]> {
  return messages(await client.until((lines) => messages(lines).length >= count))
}
