/**
 * The stores that the damage drill hurts copies of, made once by a relay and real clients: mail
 * that all devices have acknowledged, that one of two has, that none has, and that waits for a
 * user without any device, over several runs of the relay and so in several files.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SeededRandom } from '../load/random.ts'
import { copyOf, marked } from '../store/damage.ts'
import type { Address } from './broker.ts'
import { DEVICES, deviceKey, RECIPIENTS, SENDERS, type SenderRole } from './cast.ts'
import { type Owed, owedAfter, receiptsOf, TAKER } from './damage-owed.ts'
import { Device } from './device.ts'
import { Ledger } from './ledger.ts'
import type { RelayProcess } from './relay-process.ts'
import { Sender } from './sender.ts'

export type DamageFixture = {
  /** The data folder. */
  readonly path: string
  readonly how: 'stopped' | 'killed'
  readonly owed: Owed
  /** By user. */
  readonly passwords: ReadonlyMap<string, string>
}

/** One run of the relay: these devices take what waits for them, and what is sent meanwhile. */
type Run = {
  readonly devices: readonly string[]
  readonly takesReceipts: boolean
  readonly sent: number
}

/** The short runs at the end leave tables that LevelDB has not merged yet. */
const RUNS: readonly Run[] = [
  { devices: [], takesReceipts: false, sent: 1_000 },
  { devices: ['eve.phone', 'gus.phone'], takesReceipts: true, sent: 600 },
  { devices: ['eve.laptop', 'fay.phone'], takesReceipts: false, sent: 300 },
  { devices: [], takesReceipts: false, sent: 20 },
  { devices: [], takesReceipts: false, sent: 20 },
]
const LAST_RUN: Run = { devices: ['gus.phone', 'eve.phone'], takesReceipts: false, sent: 300 }
/** Messages at the end of each run that no device is there for. */
const SENT_LATE = 20
/** The same for every drill, so that the seed of a damaged store means the same in each. */
const SEED = 1

/** Senders who never ask what became of their messages. */
const OTHERS = SENDERS.filter(({ name }) => name === 'ben')
const STALL_MS_MAX = 30_000

/**
 * @param relay on an empty data folder; has ended when this resolves
 * @param folder for copies of its data folder
 */
export async function makeFixtures(relay: RelayProcess, folder: string): Promise<DamageFixture[]> {
  const users = await relay.addUsers([TAKER, ...OTHERS].map(({ name }) => name).concat(RECIPIENTS))
  const passwords = new Map(users.map(({ name, password }) => [name, password]))
  const making = new Making({ random: new SeededRandom(SEED) }, passwords)
  for (const [at, run] of RUNS.entries()) {
    const address = await relay.start()
    if (at === 0) await making.register(address)
    await making.run(run, address)
    await relay.stop()
  }
  const path = copyOf({ path: relay.dataDir }, join(folder, 'stopped'))
  const stopped = { path, how: 'stopped', owed: owedAfter(making.ledger), passwords } as const
  await making.run(LAST_RUN, await relay.start())
  const messages = making.ledger.acknowledged
  await marked(join(relay.dataDir, 'store'), (tally) => {
    return tally.tables.get('record')?.count === messages
  })
  await relay.kill()
  // A socket cannot be copied, and the next relay makes its own.
  await rm(join(relay.dataDir, 'control.sock'))
  const owed = owedAfter(making.ledger)
  return [stopped, { path: relay.dataDir, how: 'killed', owed, passwords }]
}

class Making {
  readonly ledger = new Ledger()
  readonly #random: SeededRandom
  readonly #passwords: ReadonlyMap<string, string>
  readonly #devices: readonly Device[]

  constructor(parts: { random: SeededRandom }, passwords: ReadonlyMap<string, string>) {
    this.#random = parts.random
    this.#passwords = passwords
    const { ledger } = this
    const keys = DEVICES.map(deviceKey)
    ledger.open([TAKER.name, ...OTHERS.map(({ name }) => name)], keys)
    this.#devices = DEVICES.map(
      (role) => new Device({ ledger }, { ...role, password: passwords.get(role.user) ?? '' }),
    )
  }

  /** Makes everybody known who is to be known before the first message. */
  async register(address: Address): Promise<void> {
    const known = this.#devices.filter(({ role }) => role.isKnown)
    const clients = [...known, this.#sender(TAKER, true)]
    await Promise.all(clients.map((client) => client.connect(address)))
    await Promise.all(clients.map((client) => client.disconnect()))
  }

  /** Resolves when everything that was sent is acknowledged, and what was taken is on disk. */
  async run({ devices, takesReceipts, sent }: Run, address: Address): Promise<void> {
    const online = this.#devices.filter(({ key }) => devices.includes(key))
    const senders = [TAKER, ...OTHERS].map((role) => this.#sender(role, false))
    await Promise.all([...online, ...senders].map((client) => client.connect(address)))
    await this.#send(senders, sent)
    await Promise.all(online.map((device) => this.#empty(device)))
    // The last acknowledgement of these says that everything before is on disk.
    await this.#send(senders, SENT_LATE)
    await Promise.all(senders.map((sender) => sender.disconnect()))
    if (takesReceipts) await this.#takeReceipts(address)
  }

  async #send(senders: readonly Sender[], messages: number): Promise<void> {
    const { ledger } = this
    const total = ledger.acknowledged + messages
    for (const sender of senders) sender.send(messages / senders.length)
    await this.#until(() => ledger.acknowledged === total, `${total} acknowledgements`)
  }

  async #empty(device: Device): Promise<void> {
    const { ledger } = this
    const sent = ledger.sentByRecipient().get(device.role.user)
    await this.#until(() => ledger.seenBy(device.key) === sent, `the mail of ${device.key}`)
    await device.disconnect()
  }

  async #takeReceipts(address: Address): Promise<void> {
    const { receipts } = this.ledger
    const { acknowledged, sent } = owedAfter(this.ledger)
    const all = receiptsOf(
      sent,
      (device, message) => acknowledged.get(device)?.has(message) ?? false,
    )
    const taker = this.#sender(TAKER, true)
    await taker.connect(address)
    await this.#until(() => receipts.get(TAKER.name)?.length === all.size, `${all.size} receipts`)
    await taker.disconnect()
  }

  #sender(role: SenderRole, wantsReceipts: boolean): Sender {
    const password = this.#passwords.get(role.name) ?? ''
    return new Sender(
      { ledger: this.ledger, random: this.#random },
      { ...role, password, recipients: RECIPIENTS, wantsReceipts },
    )
  }

  async #until(isDone: () => boolean, what: string): Promise<void> {
    if (await this.ledger.until(isDone, STALL_MS_MAX)) return
    throw new Error(`the fixture did not get ${what} for ${STALL_MS_MAX} ms`)
  }
}
