/** The load as a child process on a core of its own, so that it takes nothing from the broker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, Command } from './load-protocol.ts'

const WORKER = fileURLToPath(new URL('load-worker.ts', import.meta.url))

export class LoadProcess {
  readonly #core: number
  #child: ChildProcess | undefined

  constructor(options: { readonly core: number }) {
    this.#core = options.core
  }

  /** Starts the child; it is ready for commands at once. */
  start(): void {
    this.#child = spawn('taskset', ['--cpu-list', String(this.#core), process.execPath, WORKER], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  /** One command at a time. @throws Error with what went wrong in the load process */
  async tell(command: Command): Promise<Answer> {
    const child = this.#child
    if (child === undefined) throw new Error('the load process was not started')
    const ended = new AbortController()
    const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`the load process ended during ${command.do}`)
    })
    child.send(command)
    const [answer] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      exit,
    ]).finally(() => {
      exit.catch(() => undefined)
      ended.abort()
    })) as [Answer]
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** Resolves when the child is gone. Idempotent. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
