/** Stock aedes as a peer of the bench: in memory, with its defaults, in a process of its own. */
import { fileURLToPath } from 'node:url'
import type { Address, Broker, Credential } from '../test/drill/broker.ts'
import { ServerProcess } from '../test/drill/server-process.ts'

const SERVER = fileURLToPath(new URL('aedes-server.ts', import.meta.url))
const READY_MS_MAX = 20_000

export class AedesProcess implements Broker {
  readonly name = 'aedes'
  readonly isPostOffice = false
  /** It has no store. */
  readonly dataDir = ''
  readonly #server: ServerProcess<number>

  constructor({ core }: { core: number }) {
    this.#server = new ServerProcess({
      command: process.execPath,
      args: [SERVER],
      core,
      ready: (output) => {
        const port = /port (\d+)\n/.exec(output)?.[1]
        return port === undefined ? undefined : Number(port)
      },
      readyMsMax: READY_MS_MAX,
    })
  }

  get pid(): number {
    return this.#server.pid
  }

  /** Nothing to do: anybody may connect. */
  addUsers(names: readonly string[]): Promise<Credential[]> {
    return Promise.resolve(names.map((name) => ({ name, password: '' })))
  }

  async start(): Promise<Address> {
    return { host: '127.0.0.1', port: await this.#server.start() }
  }

  kill(): Promise<void> {
    return this.#server.kill()
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}
