/**
 * One drill: rounds of load that each end in a fault, then a last drain, an orderly stop, and a
 * last message from everybody to everybody, so that whatever comes twice or late has come by then.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { SeededRandom } from '../load/random.ts'
import type { Address, Broker } from './broker.ts'
import { DEVICES, type DeviceRole, deviceKey, devicesOf, RECIPIENTS, SENDERS } from './cast.ts'
import { type Counts, check } from './checks.ts'
import { Device } from './device.ts'
import { Ledger } from './ledger.ts'
import { Sender } from './sender.ts'

/** What happens to the broker at the end of a round. */
export interface Fault {
  /** Ends the broker's process, and what it has not made safe. `drop` cuts all clients at once. */
  strike(broker: Broker, drop: () => void): Promise<void>
}

export type DrillOptions = {
  readonly rounds: number
  /** Nothing happens for so long: the broker is stuck, or has no more to give. */
  readonly stallMsMax: number
}

export type DrillResult = {
  readonly counts: Counts
  /** The first violations and whatever else no correct broker does, in words. */
  readonly remarks: readonly string[]
  /** Faults struck. */
  readonly faults: number
  /** Why the broker could not be opened again, or got stuck; the drill ends there. */
  readonly failure?: string
}

/** Share of rounds in which the fault strikes while the broker starts and clients sign in. */
const EARLY_CHANCE = 0.15
const EARLY_MS_MAX = 1_500
/** Acknowledgements in a round before the fault, and what it may wait after the last of them. */
const ROUND_ACKNOWLEDGED_MAX = 1_500
const AFTER_MS_MAX = 8
/** Messages of one sender in a round: mailboxes are bounded, and a drill is to end. */
const ROUND_SENT_MAX = 1_000

export class Drill {
  readonly #broker: Broker
  readonly #fault: Fault
  readonly #random: SeededRandom
  readonly #options: DrillOptions
  readonly #ledger = new Ledger()
  #senders: readonly Sender[] = []
  #devices: readonly Device[] = []
  #faults = 0

  constructor(
    parts: { broker: Broker; fault: Fault; random: SeededRandom },
    options: DrillOptions,
  ) {
    this.#broker = parts.broker
    this.#fault = parts.fault
    this.#random = parts.random
    this.#options = options
  }

  /** Runs the whole drill; the broker is stopped at the end whatever happens. */
  async run(): Promise<DrillResult> {
    let failure: string | undefined
    try {
      await this.#enroll()
      await this.#register()
      for (let round = 0; round < this.#options.rounds; round++) await this.#round()
      await this.#finish()
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    } finally {
      this.#drop()
      await this.#broker.kill()
    }
    const { counts, examples } = check(this.#ledger, devicesOf(this.#roles()), {
      hasReceipts: this.#broker.isPostOffice,
    })
    const result = {
      counts,
      remarks: [...this.#ledger.oddities, ...examples],
      faults: this.#faults,
    }
    return failure === undefined ? result : { ...result, failure }
  }

  #roles(): readonly DeviceRole[] {
    if (this.#broker.isPostOffice) return DEVICES
    // Elsewhere only a persistent session that exists already holds anything.
    return DEVICES.map((role) => ({ ...role, clean: false, isKnown: true }))
  }

  async #enroll(): Promise<void> {
    const roles = this.#roles()
    const senders = SENDERS.map((role) => role.name)
    this.#ledger.open(senders, roles.map(deviceKey))
    const users = await this.#broker.addUsers([...senders, ...RECIPIENTS])
    const passwordOf = (name: string): string =>
      users.find((user) => user.name === name)?.password ?? ''
    this.#devices = roles.map(
      (role) => new Device({ ledger: this.#ledger }, { ...role, password: passwordOf(role.user) }),
    )
    this.#senders = SENDERS.map(
      (role) =>
        new Sender(
          { ledger: this.#ledger, random: this.#random },
          {
            ...role,
            password: passwordOf(role.name),
            recipients: RECIPIENTS,
            wantsReceipts: this.#broker.isPostOffice,
          },
        ),
    )
  }

  /** The devices that are known before the first message make themselves known. */
  async #register(): Promise<void> {
    const address = await this.#broker.start()
    const known = this.#devices.filter((device) => device.role.isKnown)
    await Promise.all(known.map((device) => device.connect(address)))
    await Promise.all(known.map((device) => device.disconnect()))
    await this.#broker.stop()
  }

  async #round(): Promise<void> {
    const online = this.#devices.filter((device) => this.#random.chance(device.role.presence))
    let isStruck = false
    const life = this.#live(online).catch((error: unknown) => {
      if (!isStruck) throw error
    })
    await Promise.race([this.#moment(), life.then(() => new Promise<never>(() => undefined))])
    isStruck = true
    this.#faults++
    await this.#fault.strike(this.#broker, () => this.#drop())
    for (const sender of this.#senders) sender.rest()
    await life
    // What had left before the end is still to be read, and counts.
    await Promise.all([...this.#senders, ...this.#devices].map((client) => client.closed()))
  }

  async #live(online: readonly Device[]): Promise<void> {
    const address = await this.#broker.start()
    // Load begins with the first who is in, as after a real restart.
    await Promise.all([
      ...this.#senders.map((sender) =>
        sender.connect(address).then(() => sender.send(ROUND_SENT_MAX)),
      ),
      ...online.map((device) => device.connect(address)),
    ])
  }

  /** Resolves when the fault is to strike. @throws Error where nothing moves any more */
  async #moment(): Promise<void> {
    if (this.#random.chance(EARLY_CHANCE)) return delay(this.#random.between(0, EARLY_MS_MAX))
    const target = this.#ledger.acknowledged + this.#acknowledgements()
    const wait = this.#random.between(0, AFTER_MS_MAX)
    const isThere = () => this.#ledger.acknowledged >= target
    if (!(await this.#ledger.until(isThere, this.#options.stallMsMax))) {
      throw new Error(`no message was acknowledged for ${this.#options.stallMsMax} ms under load`)
    }
    await delay(wait)
  }

  /** Often only a few, so that the first commits after a start are hit, too. */
  #acknowledgements(): number {
    return this.#random.chance(0.5)
      ? this.#random.betweenByMagnitude(1, ROUND_ACKNOWLEDGED_MAX)
      : this.#random.between(1, ROUND_ACKNOWLEDGED_MAX)
  }

  async #finish(): Promise<void> {
    await this.#drain(await this.#broker.start())
    await Promise.all([...this.#senders, ...this.#devices].map((client) => client.disconnect()))
    await this.#broker.stop()
    const address = await this.#broker.start()
    await this.#drain(address, () => {
      for (const sender of this.#senders) sender.sendOneToEach()
    })
    await Promise.all([...this.#senders, ...this.#devices].map((client) => client.disconnect()))
    await this.#broker.stop()
  }

  async #drain(address: Address, then: () => void = () => undefined): Promise<void> {
    const clients = [...this.#devices, ...this.#senders]
    await Promise.all(clients.map((client) => client.connect(address)))
    then()
    await this.#ledger.until(() => this.#isComplete(), this.#options.stallMsMax)
  }

  #isComplete(): boolean {
    if (this.#senders.some((sender) => sender.pending > 0)) return false
    if (this.#broker.isPostOffice && this.#ledger.toldDelivered < this.#ledger.acknowledged) {
      return false
    }
    const sentTo = this.#ledger.sentByRecipient()
    return this.#devices.every(
      (device) => this.#ledger.seenBy(device.key) >= (sentTo.get(device.role.user) ?? 0),
    )
  }

  #drop(): void {
    for (const sender of this.#senders) sender.drop()
    for (const device of this.#devices) device.drop()
  }
}
