/** A relay from source as a child process, with a data folder and users of its own. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import type { Address, Broker, Credential } from './broker.ts'
import { ServerProcess } from './server-process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const READY_MS_MAX = 60_000

export type RelayOptions = {
  /** Folder of the store. */
  readonly dataDir: string
  /** Folder of the configuration file: not the store's, which a power cut may take back. */
  readonly configDir: string
  readonly core?: number
  /** Configuration lines beyond those that a test needs. */
  readonly extraConfig?: readonly string[]
  /** The program; the relay of this checkout where absent. */
  readonly main?: string
}

export class RelayProcess implements Broker {
  readonly name = 'Waypost'
  readonly isPostOffice = true
  readonly dataDir: string
  readonly #options: RelayOptions
  readonly #main: string
  #server: ServerProcess<Address> | undefined

  constructor(options: RelayOptions) {
    this.dataDir = options.dataDir
    this.#options = options
    this.#main = options.main ?? MAIN
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error('the relay is not running')
    return this.#server.pid
  }

  /** What the relay wrote, for a report of what went wrong. */
  get output(): string {
    return this.#server?.output ?? ''
  }

  /** A figure of `/metrics`. @throws Error where there is none of that name */
  async metric(name: string): Promise<number> {
    const url = /http:\/\/[^\s/]+/.exec(this.output)?.[0]
    const text = await (await fetch(`${url}/metrics`)).text()
    const value = new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]
    if (value === undefined) throw new Error(`${url}/metrics does not show ${name}`)
    return Number(value)
  }

  /** Their passwords are the relay's: such are cheap to check, so that a fleet is in at once. */
  async addUsers(names: readonly string[]): Promise<Credential[]> {
    await this.start()
    const users: Credential[] = []
    for (const name of names) {
      const socket = await reachRelay(this.dataDir)
      const request = { op: 'user.add', input: { id: name, isAdmin: false } }
      const answer = (await askRelay(socket, request, systemClock)) as { password: string }
      users.push({ name, password: answer.password })
    }
    await this.stop()
    return users
  }

  async start(): Promise<Address> {
    await this.#configure()
    const { core } = this.#options
    this.#server = new ServerProcess({
      command: process.execPath,
      args: [this.#main, 'run', '--config', this.#configFile],
      ready: readAddress,
      readyMsMax: READY_MS_MAX,
      ...(core === undefined ? {} : { core }),
    })
    return this.#server.start()
  }

  async kill(): Promise<void> {
    await this.#server?.kill()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  get #configFile(): string {
    return join(this.#options.configDir, 'waypost.yaml')
  }

  async #configure(): Promise<void> {
    await mkdir(this.#options.configDir, { recursive: true })
    const lines = [
      `data_dir: ${this.dataDir}`,
      'mqtt: { host: 127.0.0.1, port: 0, tls_port: 0 }',
      'http: { host: 127.0.0.1, port: 0 }',
      'mesh: { enabled: false }',
      ...(this.#options.extraConfig ?? []),
    ]
    await writeFile(this.#configFile, `${lines.join('\n')}\n`)
  }
}

/** The address in the relay's first lines, once they say that it is listening. */
export function readAddress(output: string): Address | undefined {
  if (!output.includes('listening')) return undefined
  const found = /mqtt:\/\/([^\s:/"]+):(\d+)/.exec(output)
  if (found === null) return undefined
  return { host: found[1] ?? '', port: Number(found[2]) }
}
