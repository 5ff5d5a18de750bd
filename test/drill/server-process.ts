/** A server as a child process: started, waited for, stopped or killed. Never waits blindly. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export type ServerOptions<Ready> = {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Core that the process may use; every one where absent. */
  readonly core?: number
  /** What the output so far says of readiness; nothing where it is not ready yet. */
  readonly ready: (output: string) => Ready | undefined
  readonly readyMsMax: number
}

/** Output that is kept to tell why a server did not start. */
const OUTPUT_CHARACTERS_MAX = 16_000

export class ServerProcess<Ready> {
  readonly #options: ServerOptions<Ready>
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  #output = ''

  constructor(options: ServerOptions<Ready>) {
    this.#options = options
  }

  /** Process id of the running child. @throws Error where none runs */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the server is not running')
    return pid
  }

  /** The last part of what the child wrote, both streams mixed. */
  get output(): string {
    return this.#output
  }

  /** Resolves when the child says that it is ready. @throws Error with its output otherwise */
  start(): Promise<Ready> {
    const { command, args, core, env, readyMsMax } = this.#options
    const [program, list] =
      core === undefined
        ? [command, args]
        : ['taskset', ['--cpu-list', String(core), command, ...args]]
    this.#output = ''
    const child = spawn(program, list, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
    })
    this.#child = child
    this.#exited = once(child, 'exit').catch(() => undefined)
    return new Promise<Ready>((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${command} ${what}: ${this.#output}`))
      const timer = setTimeout(() => fail(`was not ready after ${readyMsMax} ms`), readyMsMax)
      const take = (text: string): void => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARACTERS_MAX)
        const ready = this.#options.ready(this.#output)
        if (ready === undefined) return
        clearTimeout(timer)
        resolve(ready)
      }
      child.stdout?.setEncoding('utf8').on('data', take)
      child.stderr?.setEncoding('utf8').on('data', take)
      child.on('error', (error) => fail(`could not start (${error.message})`))
      child.on('exit', (code, signal) => {
        clearTimeout(timer)
        fail(`ended with ${signal ?? code}`)
      })
    })
  }

  /** SIGKILL, and resolves when the process is gone. Idempotent. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** SIGTERM, and resolves when the process is gone. Idempotent. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await this.#exited
    this.#child = undefined
  }
}
