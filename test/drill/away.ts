/**
 * The away drill: a sender on MQTT 5 sends to a recipient on 3.1.1 who is away, the relay is
 * killed again and again, and the recipient comes back with two devices. Each has to get every
 * message, in order, once; the sender one `delivered` for each; and the store has to shrink again.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '../load/random.ts'
import { AWAY_DEVICES, DEVICE_IDS, keyOf, RECIPIENT, SENDER } from './away-cast.ts'
import { type AwayCounts, checkAway, sum } from './away-checks.ts'
import type { AwayClient } from './away-client.ts'
import { awayDevice } from './away-device.ts'
import { allocatedBytes, msUntilSize } from './away-disk.ts'
import { AwaySender } from './away-sender.ts'
import { traceUntold } from './away-trace.ts'
import type { Address, Broker } from './broker.ts'
import { type Counts, check } from './checks.ts'
import { Cleanup } from './cleanup.ts'
import { Ledger } from './ledger.ts'
import { RelayProcess } from './relay-process.ts'

export type AwayTask = {
  readonly messages: number
  /** SIGKILLs in all; a fifth of them while the devices fetch their mail. */
  readonly kills: number
  readonly seed: number
  /** How long the store may take to shrink again. */
  readonly storeMsMax: number
}

/** Bytes of the data directory, in blocks of the disk. */
export type StoreSizes = {
  before: number
  /** With all messages in it. */
  full: number
  after: number
  /** How long after the last receipt it was small again; nothing where it was not in time. */
  ms: number | undefined
}

export type AwayResult = {
  readonly counts: Counts & AwayCounts
  /** Messages and receipts that came when everybody should have had everything. */
  readonly cameLate: number
  readonly kills: { sending: number; draining: number }
  readonly store: StoreSizes
  /** How long it all took. */
  readonly ms: number
  /** The first violations and whatever else no correct relay does, in words. */
  readonly remarks: readonly string[]
  /** Why the relay could not be opened again, or got stuck; the drill ends there. */
  readonly failure?: string
}

/**
 * A record of each message stays for 30 days, so that it can be listed. What is allowed for it is
 * half a payload, so that payloads which stay are noticed.
 */
const RECORD_BYTES_MAX = 100
const DRAIN_SHARE = 1 / 5
/** What a kill may wait after the event that it is counted from. */
const AFTER_MS_MAX = 8
/** Longer than any start, sign-in or commit should ever take. */
const STALL_MS_MAX = 30_000

/** Runs the whole drill in folders of its own. */
export async function runAway(task: AwayTask): Promise<AwayResult> {
  const cleanup = new Cleanup()
  return cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-away-')
    const broker = new RelayProcess({ dataDir: join(folder, 'data'), configDir: folder })
    cleanup.add(() => broker.kill())
    const [alice, bob] = await broker.addUsers([SENDER, RECIPIENT])
    const passwords = { sender: alice?.password ?? '', recipient: bob?.password ?? '' }
    return new AwayDrill(
      { broker, random: new SeededRandom(task.seed) },
      { ...task, passwords },
    ).run()
  })
}

type AwayOptions = AwayTask & {
  readonly passwords: { readonly sender: string; readonly recipient: string }
}

class AwayDrill {
  readonly #broker: Broker
  readonly #random: SeededRandom
  readonly #options: AwayOptions
  readonly #ledger = new Ledger()
  readonly #sender: AwaySender
  readonly #devices: readonly AwayClient[]
  readonly #kills = { sending: 0, draining: 0 }
  readonly #store: StoreSizes = { before: 0, full: 0, after: 0, ms: undefined }
  #address: Address = { host: '', port: 0 }
  #cameLate = 0

  constructor(parts: { broker: Broker; random: SeededRandom }, options: AwayOptions) {
    this.#broker = parts.broker
    this.#random = parts.random
    this.#options = options
    const { sender, recipient } = options.passwords
    const ledger = this.#ledger
    this.#sender = new AwaySender({ ledger }, { password: sender })
    this.#devices = DEVICE_IDS.map((clientId) =>
      awayDevice({ ledger }, { clientId, password: recipient }),
    )
  }

  async run(): Promise<AwayResult> {
    const startedMs = performance.now()
    this.#ledger.open([SENDER], DEVICE_IDS.map(keyOf))
    let failure: string | undefined
    let traces: readonly string[] = []
    try {
      await this.#signIn()
      await this.#send()
      await this.#drain()
      await this.#settle()
      traces = await traceUntold(this.#ledger, this.#broker.dataDir)
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    } finally {
      for (const client of this.#clients) client.drop()
    }
    const { counts, examples } = check(this.#ledger, AWAY_DEVICES, { hasReceipts: true })
    const result = {
      counts: { ...counts, ...checkAway(this.#ledger) },
      cameLate: this.#cameLate,
      kills: this.#kills,
      store: this.#store,
      ms: performance.now() - startedMs,
      remarks: [...this.#ledger.oddities, ...examples, ...traces],
    }
    return failure === undefined ? result : { ...result, failure }
  }

  get #clients(): readonly AwayClient[] {
    return [this.#sender.client, ...this.#devices]
  }

  async #signIn(): Promise<void> {
    await this.#start()
    await inTime(this.#introduce())
    this.#store.before = await this.#storeBytes()
  }

  /** Makes the devices known and lets them go away; the sender stays. */
  async #introduce(): Promise<void> {
    this.#sender.connect(this.#address)
    await this.#sender.client.subscribe(`users/${SENDER}/receipts/#`)
    for (const device of this.#devices) {
      device.connect(this.#address)
      await device.subscribe(`users/${RECIPIENT}/inbox/#`)
      await device.disconnect()
    }
  }

  async #send(): Promise<void> {
    const { messages } = this.#options
    const acknowledged = () => this.#ledger.acknowledged
    this.#sender.send(messages)
    for (const moment of this.#moments(this.#killsOf('sending'), messages)) {
      await this.#killAt(acknowledged, moment)
      this.#kills.sending++
      this.#sender.connect(this.#address)
    }
    await this.#reach(acknowledged, messages)
    this.#store.full = await this.#storeBytes()
  }

  async #drain(): Promise<void> {
    const { messages } = this.#options
    for (const device of this.#devices) device.connect(this.#address)
    const arrived = () => sum(DEVICE_IDS.map((id) => this.#ledger.seenBy(keyOf(id))))
    const all = messages * DEVICE_IDS.length
    for (const moment of this.#moments(this.#killsOf('draining'), all)) {
      await this.#killAt(arrived, moment)
      this.#kills.draining++
      this.#sender.connect(this.#address)
      for (const device of this.#devices) device.connect(this.#address)
    }
    const isComplete = () => arrived() === all && this.#ledger.toldDelivered === messages
    // What has not come by then is missing; the checks tell what.
    await this.#ledger.until(isComplete, STALL_MS_MAX)
  }

  /** While the store shrinks, everybody goes and comes once more, and should get nothing. */
  async #settle(): Promise<void> {
    const eventsBefore = this.#events()
    const { before } = this.#store
    const { messages, storeMsMax } = this.#options
    const [ms] = await Promise.all([
      msUntilSize(this.#broker.dataDir, before + messages * RECORD_BYTES_MAX, storeMsMax),
      inTime(this.#comeOnceMore()),
    ])
    this.#store.ms = ms
    this.#store.after = await this.#storeBytes()
    this.#cameLate = this.#events() - eventsBefore
  }

  async #comeOnceMore(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.disconnect()))
    for (const client of this.#clients) client.connect(this.#address)
    await Promise.all(this.#clients.map((client) => client.settled()))
  }

  /** Everything that has come so far, whatever it is. */
  #events(): number {
    const { arrivals, receipts } = this.#ledger
    return sum([...arrivals.values(), ...receipts.values()].map((list) => list.length))
  }

  /** How many kills fall into a part of the drill. */
  #killsOf(part: 'sending' | 'draining'): number {
    const draining = Math.round(this.#options.kills * DRAIN_SHARE)
    return part === 'draining' ? draining : this.#options.kills - draining
  }

  /** Random counts of an event, in order, at which the relay is to be killed. */
  #moments(kills: number, max: number): number[] {
    const moments = Array.from({ length: kills }, () => this.#random.between(0, max - 1))
    return moments.sort((a, b) => a - b)
  }

  /** Kills the relay when it has come so far, and starts it again. */
  async #killAt(count: () => number, moment: number): Promise<void> {
    const afterMs = this.#random.between(0, AFTER_MS_MAX)
    await this.#reach(count, moment)
    await delay(afterMs)
    await this.#broker.kill()
    // What had left before the end is still to be read, and counts.
    await Promise.all(this.#clients.map((client) => client.closed()))
    await this.#start()
  }

  /** @throws Error where nothing moves any more */
  async #reach(count: () => number, target: number): Promise<void> {
    if (await this.#ledger.until(() => count() >= target, STALL_MS_MAX)) return
    throw new Error(`nothing came for ${STALL_MS_MAX} ms, at ${count()} of ${target}`)
  }

  async #start(): Promise<void> {
    this.#address = await this.#broker.start()
  }

  #storeBytes(): Promise<number> {
    return allocatedBytes(this.#broker.dataDir)
  }
}

/** @throws Error where the relay does not answer, which MQTT.js would wait for in silence */
function inTime(work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const error = new Error(`the relay did not answer for ${STALL_MS_MAX} ms`)
  const timer = setTimeout(() => reject(error), STALL_MS_MAX)
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
