/** One life of a relay on a damaged store: started, read by its clients, asked, stopped. */
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import type { Problem } from '../../src/control/parts.ts'
import type { DeviceRow } from '../../src/control/rows.ts'
import { RelayError } from '../../src/errors.ts'
import type { Damage } from '../../src/store/report.ts'
import { startStore } from '../store/damage.ts'
import type { Address } from './broker.ts'
import { DEVICES, deviceKey } from './cast.ts'
import type { DamageFixture } from './damage-fixture.ts'
import type { Evidence } from './damage-judge.ts'
import { deviceIdOf } from './damage-owed.ts'
import { readEverything } from './damage-reading.ts'
import { RelayProcess } from './relay-process.ts'

const START_MS_MAX = 30_000
/** Output of a relay that failed, for a remark. */
const SAID_CHARACTERS_MAX = 1_000

export type Life =
  | { readonly end: 'not started' | 'failed'; readonly why: string }
  | { readonly end: 'stopped'; readonly evidence: Evidence }

export class DamagedRelay {
  readonly dataDir: string
  readonly #relay: RelayProcess

  constructor(options: { readonly dataDir: string; readonly configDir: string }) {
    this.dataDir = options.dataDir
    this.#relay = new RelayProcess({ ...options, extraConfig: ['log: { format: json }'] })
  }

  async kill(): Promise<void> {
    await this.#relay.kill()
  }

  /** Lives on the store that lies in the data folder. Never throws for what the relay does. */
  async live(passwords: DamageFixture['passwords']): Promise<Life> {
    try {
      const address = await this.#start()
      return await this.#serve(address, passwords)
    } catch (error) {
      await this.kill()
      return { end: 'not started', why: reasonOf(error) }
    }
  }

  /** @throws Error where it does not listen in time */
  async #start(): Promise<Address> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new Error(`it was not listening after ${START_MS_MAX} ms`)),
      START_MS_MAX,
    )
    try {
      return await Promise.race([this.#relay.start(), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async #serve(address: Address, passwords: DamageFixture['passwords']): Promise<Life> {
    try {
      const devicesForgotten = await this.#devicesForgotten()
      const reading = await readEverything(address, passwords)
      const damages = await this.#damagesNamed()
      await this.#relay.stop()
      await this.#checkEnd()
      return { end: 'stopped', evidence: { ...reading, devicesForgotten, damages } }
    } catch (error) {
      await this.kill()
      const said = this.#relay.output.slice(-SAID_CHARACTERS_MAX)
      return { end: 'failed', why: `${reasonOf(error)}; the relay's last words: ${said}` }
    }
  }

  /** The devices of which the relay does not know any more that they take mail. */
  async #devicesForgotten(): Promise<Set<string>> {
    const forgotten = new Set<string>()
    for (const role of DEVICES.filter(({ isKnown }) => isKnown)) {
      const rows = await this.#devicesOf(role.user)
      const isThere = rows.some(({ id, takesMail }) => id === deviceIdOf(role) && takesMail)
      if (!isThere) forgotten.add(deviceKey(role))
    }
    return forgotten
  }

  async #devicesOf(user: string): Promise<readonly DeviceRow[]> {
    try {
      return (await this.#ask('device.list', { id: user })) as DeviceRow[]
    } catch (error) {
      if (error instanceof RelayError && error.code === 'NOT_FOUND') return []
      throw error
    }
  }

  /** What stands both in the log and in `status`. */
  async #damagesNamed(): Promise<Damage[]> {
    const { problems } = (await this.#ask('status', {})) as { problems: readonly Problem[] }
    const texts = new Set(problems.map(({ what }) => what))
    const logged = this.#relay.output.split('\n').flatMap(damageOf)
    return logged.filter(({ text }) => texts.has(text))
  }

  /** @throws Error where the store was not closed in order, or where damage is found again */
  async #checkEnd(): Promise<void> {
    const { store } = await startStore(join(this.dataDir, 'store'))
    const { wasClosed, damages } = store.report
    await store.stop()
    if (!wasClosed) throw new Error('the store was not closed in order')
    if (damages.length > 0) {
      throw new Error(`the next start finds: ${damages.map(({ text }) => text).join('; ')}`)
    }
  }

  async #ask(op: string, input: object): Promise<unknown> {
    return askRelay(await reachRelay(this.dataDir), { op, input }, systemClock)
  }
}

/** The damage in a line of the log, if that tells of one. */
function damageOf(line: string): Damage[] {
  if (!line.startsWith('{') || !line.endsWith('}')) return []
  const { kind, msg, table, count } = JSON.parse(line) as Partial<Damage> & { msg: string }
  if (kind === undefined) return []
  return [
    {
      kind,
      text: msg,
      ...(table === undefined ? {} : { table }),
      ...(count === undefined ? {} : { count }),
    },
  ]
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
