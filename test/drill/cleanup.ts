/** What has to be undone whatever happens: processes, mounts, folders; last made, first undone. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class Cleanup {
  #steps: (() => Promise<unknown>)[] = []

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  /** A folder for this run, removed at the end. */
  async folder(prefix: string, parent = tmpdir()): Promise<string> {
    const folder = await mkdtemp(join(parent, prefix))
    this.add(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  /** Undoes everything, also where a step fails. Idempotent. @throws the first failure */
  async run(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      await step().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw new AggregateError(failures, String(failures[0]))
  }

  /** Runs `work`, and undoes everything after it or when somebody stops this process. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    const stop = (): void => {
      void this.run().finally(() => process.exit(130))
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    try {
      return await work()
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      await this.run()
    }
  }
}
