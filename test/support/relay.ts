/** A whole relay in this process, on a folder of its own, and what an operator asks of it. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { type Config, loadConfig } from '../../src/config/config.ts'
import type { KeyPath } from '../../src/config/keys.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import type { Log } from '../../src/log.ts'
import { Relay } from '../../src/relay.ts'

/** Something that the relay has logged. */
export type LogLine = { readonly level: string; readonly fields: object; readonly text: string }

type Rules = Config['access']['rules']

export type RelayOptions = {
  /** The folder of the relay; one of the test where absent. */
  readonly dataDir?: string
  /** Configuration keys and what they say. */
  readonly keys?: Partial<Record<KeyPath, string>>
  readonly rules?: Rules
}

export class TestRelay {
  readonly dataDir: string
  readonly lines: LogLine[] = []
  readonly #config: Config
  #relay: Relay | undefined

  constructor(config: Config) {
    this.#config = config
    this.dataDir = config.dataDir
  }

  async start(): Promise<void> {
    this.#relay = new Relay(this.#config, { log: this.#log() })
    await this.#relay.start()
  }

  async stop(): Promise<void> {
    await this.#relay?.stop()
    this.#relay = undefined
  }

  /** Stops and starts on the same folder; ports change. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  get mqttPort(): number {
    return this.#running.addresses.mqtt.port
  }

  get tlsPort(): number {
    return this.#running.addresses.mqtts?.port ?? 0
  }

  /** The certificate that clients have to trust, as PEM text. */
  get authority(): string {
    return readFileSync(this.#running.authorityPath ?? '', 'utf8')
  }

  get httpPort(): number {
    return this.#running.addresses.http.port
  }

  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.mqttPort}`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.httpPort}/mqtt`
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  get firstAdmin(): { id: string; password: string } | undefined {
    return this.#running.firstAdmin
  }

  /** Asks through the admin socket, as the command line does. */
  async ask(op: string, input: object = {}): Promise<unknown> {
    return await askRelay(await reachRelay(this.dataDir), { op, input }, systemClock)
  }

  /** Adds users with passwords of the relay's making, which are cheap to check; returns them. */
  async addUsers<Name extends string>(...names: Name[]): Promise<Record<Name, string>> {
    const passwords = new Map<string, string>()
    for (const id of names) {
      const { password } = (await this.ask('user.add', { id, isAdmin: false })) as {
        password: string
      }
      passwords.set(id, password)
    }
    return Object.fromEntries(passwords) as Record<Name, string>
  }

  /** Adds a thing; returns its password. */
  async addThing(id: string): Promise<string> {
    return ((await this.ask('thing.add', { id })) as { password: string }).password
  }

  async ledger(): Promise<Record<'accepted' | 'delivered' | 'queued' | 'expired', number>> {
    return ((await this.ask('status')) as { messages: never }).messages
  }

  get #running(): Relay {
    if (this.#relay === undefined) throw new Error('the relay does not run')
    return this.#relay
  }

  #log(): Log {
    const at = (level: string) => (fields: object, text: string) => {
      this.lines.push({ level, fields, text })
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}

/** Starts a relay that stops with the test. */
export async function startRelay(t: Test, options: RelayOptions = {}): Promise<TestRelay> {
  const relay = new TestRelay(await configOf(options.dataDir ?? t.testdir(), options))
  t.teardown(() => relay.stop())
  await relay.start()
  return relay
}

/** The configuration of a relay on loopback, on ports that are free. */
export async function configOf(dataDir: string, { keys, rules }: RelayOptions): Promise<Config> {
  const flags = new Map<KeyPath, string>([
    ['data_dir', dataDir],
    ['mqtt.host', '127.0.0.1'],
    ['mqtt.port', '0'],
    ['mqtt.tls_port', '0'],
    ['http.host', '127.0.0.1'],
    ['http.port', '0'],
    ['mesh.enabled', 'false'],
    ...(Object.entries(keys ?? {}) as [KeyPath, string][]),
  ])
  const { config } = await loadConfig({
    flags,
    env: {},
    file: undefined,
    readText: async () => undefined,
    hostName: 'depot',
    workingDir: tmpdir(),
  })
  return rules === undefined ? config : { ...config, access: { ...config.access, rules } }
}
