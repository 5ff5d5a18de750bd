/**
 * Debian's Mosquitto as the peer: its own persistence at its own defaults (a snapshot each 30
 * minutes), anybody may connect, and no limit on queues, so that nothing but the crash loses.
 */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Address, Broker, Credential } from './broker.ts'
import { ServerProcess } from './server-process.ts'

const READY_MS_MAX = 20_000
/** Debian installs daemons where a user's PATH does not look. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** The installed program, or nothing. */
export async function findMosquitto(): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const file = join(folder, 'mosquitto')
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return undefined
}

export const NO_MOSQUITTO = 'Mosquitto is not installed (apt-get install mosquitto)'

export class MosquittoProcess implements Broker {
  readonly name = 'Mosquitto'
  readonly isPostOffice = false
  readonly dataDir: string
  readonly #core: number | undefined
  #server: ServerProcess<true> | undefined

  /** @param options dataDir for the store and configuration; core that it is pinned to */
  constructor(options: { dataDir: string; core?: number }) {
    this.dataDir = options.dataDir
    this.#core = options.core
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error('Mosquitto is not running')
    return this.#server.pid
  }

  /** Nothing to do: anybody may connect. */
  addUsers(names: readonly string[]): Promise<Credential[]> {
    return Promise.resolve(names.map((name) => ({ name, password: '' })))
  }

  async start(): Promise<Address> {
    const command = await findMosquitto()
    if (command === undefined) throw new Error(NO_MOSQUITTO)
    await mkdir(this.dataDir, { recursive: true })
    const port = await freePort()
    const config = join(this.dataDir, 'mosquitto.conf')
    await writeFile(config, configuration(this.dataDir, port))
    this.#server = new ServerProcess({
      command,
      args: ['-c', config],
      ready: (output) => (output.includes(' running') ? true : undefined),
      readyMsMax: READY_MS_MAX,
      ...(this.#core === undefined ? {} : { core: this.#core }),
    })
    await this.#server.start()
    return { host: '127.0.0.1', port }
  }

  async kill(): Promise<void> {
    await this.#server?.kill()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }
}

function configuration(dataDir: string, port: number): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${dataDir}/`,
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'connection_messages false',
    // Its stdout is not flushed into a pipe.
    'log_dest stderr',
    // As root it would change to a user who may not write here.
    'user root',
  ]
  return `${lines.join('\n')}\n`
}

/** A TCP port that was free a moment ago; Mosquitto cannot choose one and tell. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port was given')),
      )
    })
  })
}
