/**
 * A process that opens many connections to a relay and never says who it is; apart from the test,
 * so that the test's own client is not kept waiting by it. Started by `Strangers.flood`.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Connections that are opened in pairs: one says nothing and stays, the other leaves at once. */
export type Flood = {
  readonly port: number
  readonly pairs: number
  /** Addresses that the silent ones come from, in turn; 1 for that of everybody else alone. */
  readonly silentAddresses: number
  readonly passingAddresses: number
}

export type Flooded = {
  /** Connections that were made, of twice as many as pairs. */
  readonly opened: number
  /** The most silent ones that were open at once. */
  readonly silentMax: number
  /** Time until the last one was in. */
  readonly openedMs: number
}

/** Pairs on their way in at once: far fewer than the kernel lets wait for a server (511). */
const LANES = 100

/** Runs a flood in a process of its own. */
export class Strangers {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(fileURLToPath(import.meta.url), [], { serialization: 'json' })
  }

  /** Resolves when every connection is closed. */
  async flood(flood: Flood): Promise<Flooded> {
    const exit = once(this.#child, 'exit').then(() => {
      throw new Error('the process of the strangers ended')
    })
    this.#child.send(flood)
    const [flooded] = (await Promise.race([once(this.#child, 'message'), exit])) as [Flooded]
    exit.catch(() => undefined)
    return flooded
  }

  /** Idempotent. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

class Crowd {
  readonly #flood: Flood
  readonly #gone: Promise<unknown>[] = []
  #begun = 0
  #opened = 0
  #silent = 0
  #silentMax = 0

  constructor(flood: Flood) {
    this.#flood = flood
  }

  async run(): Promise<Flooded> {
    const startedMs = performance.now()
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()))
    const openedMs = performance.now() - startedMs
    await Promise.all(this.#gone)
    return { opened: this.#opened, silentMax: this.#silentMax, openedMs }
  }

  /** One pair after the other. When the second of a pair is served, the first was, too. */
  async #lane(): Promise<void> {
    const { pairs, silentAddresses, passingAddresses } = this.#flood
    while (this.#begun < pairs) {
      const index = this.#begun++
      const silent = this.#connect(addressOf(index, silentAddresses))
      if (await silent.isOpen) this.#staysUntil(silent.gone)
      this.#gone.push(silent.gone)
      const passing = this.#connect(addressOf(index, passingAddresses))
      await passing.isOpen
      passing.socket.end()
      await passing.gone
    }
  }

  #staysUntil(gone: Promise<unknown>): void {
    this.#silent += 1
    this.#silentMax = Math.max(this.#silentMax, this.#silent)
    void gone.then(() => {
      this.#silent -= 1
    })
  }

  #connect(localAddress: string) {
    const socket = connect({ host: '127.0.0.1', port: this.#flood.port, localAddress })
    // 'close' always follows.
    socket.on('error', () => undefined)
    socket.resume()
    const gone = new Promise<false>((resolve) => socket.once('close', () => resolve(false)))
    const opened = new Promise<true>((resolve) => {
      socket.once('connect', () => {
        this.#opened += 1
        resolve(true)
      })
    })
    return { socket, gone, isOpen: Promise.race([opened, gone]) }
  }
}

/** The address of the connection at `index`: 127.0.0.1 and the next ones in turn. */
function addressOf(index: number, addresses: number): string {
  const host = 1 + (index % addresses)
  return `127.0.${host >> 8}.${host & 0xff}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (message: Flood) => {
    void new Crowd(message).run().then((flooded) => process.send?.(flooded))
  })
}
