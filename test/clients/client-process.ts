/** A client that is a program of its own: its lines as they come, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

export type Ending = { readonly code: number | null; readonly stdout: string[]; stderr: string }

export class ClientProcess {
  /** Lines of stdout. */
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #events = new EventEmitter()
  #stderr = ''
  #isClosed = false

  constructor(child: ChildProcess) {
    this.#child = child
    // A program that is not there ends like one that fails.
    child.on('error', (error) => {
      this.#stderr += String(error)
    })
    this.#events.setMaxListeners(0)
    child.stdin?.on('error', () => undefined)
    child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk
    })
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.lines.push(line)
        this.#events.emit('change')
      })
    }
    child.on('close', () => {
      this.#isClosed = true
      this.#events.emit('change')
    })
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  endInput(): void {
    this.#child.stdin?.end()
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** Waits until what it has said is enough. @throws Error where it ends before */
  async until(isEnough: (lines: readonly string[]) => boolean): Promise<string[]> {
    while (!isEnough(this.lines)) {
      if (this.#isClosed) throw new Error(`it ended: ${this.lines.join('\n')} ${this.#stderr}`)
      await once(this.#events, 'change')
    }
    return this.lines
  }

  /** Waits for a line. */
  async line(pattern: RegExp): Promise<void> {
    await this.until((lines) => lines.some((line) => pattern.test(line)))
  }

  /** Waits for its end. */
  async ended(): Promise<Ending> {
    while (!this.#isClosed) await once(this.#events, 'change')
    return { code: this.#child.exitCode, stdout: this.lines, stderr: this.#stderr }
  }
}

/** Starts a program that is gone with the test. */
export function launch(t: Test, program: string, args: readonly string[]): ClientProcess {
  const client = new ClientProcess(spawn(program, args, { stdio: 'pipe' }))
  t.teardown(async () => {
    client.kill()
    await client.ended()
  })
  return client
}
