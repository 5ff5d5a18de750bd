/**
 * A post office on a real store in a folder of its own, with a clock and a disk that the test
 * steers, devices that record what they are sent, and senders that record what they are told.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Counts } from '../../src/delivery/counts.ts'
import { Inquiry } from '../../src/delivery/inquiry.ts'
import { Janitor } from '../../src/delivery/janitor.ts'
import { type Draft, PostOffice, type PostOptions } from '../../src/delivery/post-office.ts'
import type { RelayError } from '../../src/errors.ts'
import { Journal } from '../../src/journal/journal.ts'
import { LIMITS } from '../../src/limits.ts'
import { Mailboxes } from '../../src/mailbox/mailboxes.ts'
import { Records } from '../../src/mailbox/records.ts'
import { deviceId, messageId, type UserId, userId } from '../../src/message/names.ts'
import { GENERATED_COST, Passwords } from '../../src/roster/passwords.ts'
import { Roster } from '../../src/roster/roster.ts'
import { lastNumber, tableOf } from '../../src/store/keys.ts'
import { Store } from '../../src/store/store.ts'
import { copyStore } from '../support/copy-store.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { SteeredDisk } from '../support/steered-disk.ts'
import { type DeviceOptions, TestDevice } from './device.ts'

export const alice = userId('alice')
export const bob = userId('bob')

const DAY_MS = 86_400_000

/** Real time after which a commit counts as waiting, and how far the clock is moved then. */
const PATIENCE_MS = 500
const RETRY_MS = 100

/** How long a settled message is listed here. */
export const LISTED_FOR_MS = 7 * DAY_MS

export type RigOptions = Partial<PostOptions> & { readonly listedForMs?: number }

/** What the sender of a message is told. */
export type Letter = {
  readonly id: string
  state: 'waiting' | 'accepted' | RelayError
  /** How often it was told. */
  answers: number
  /** Whether the disk was full at that time. */
  wasFull: boolean
}

export type LetterOptions = Partial<Omit<Draft, 'payload'>> & { readonly payload?: string | Buffer }

export class Rig {
  readonly clock: ManualClock
  readonly log = new KeptLog()
  readonly disk = new SteeredDisk()
  readonly gauge = { isOver: false }
  readonly path: string
  readonly devices: TestDevice[] = []
  readonly #t: Test
  readonly #options: RigOptions
  #ids = 0
  #isOver = false
  store: Store
  journal: Journal
  mailboxes: Mailboxes
  records: Records
  roster: Roster
  counts: Counts
  post: PostOffice
  janitor: Janitor
  inquiry: Inquiry

  private constructor(t: Test, path: string, options: RigOptions, clock: ManualClock) {
    this.#t = t
    this.path = path
    this.clock = clock
    this.#options = options
    this.store = this.#newStore()
    this.journal = new Journal({ store: this.store, clock, log: this.log })
    this.mailboxes = new Mailboxes({ store: this.store })
    this.records = new Records({ store: this.store })
    this.counts = new Counts(this)
    this.roster = this.#newRoster()
    this.post = this.#newPost()
    this.janitor = this.#newJanitor()
    this.inquiry = this.#newInquiry()
  }

  /** Opens a post office that knows alice and bob; on the store at `path` where one is given. */
  static async open(
    t: Test,
    options: RigOptions = {},
    path = join(t.testdir(), 'store'),
  ): Promise<Rig> {
    const rig = new Rig(t, path, options, new ManualClock())
    t.teardown(() => rig.end())
    await rig.#start()
    for (const user of [alice, bob]) await rig.addUser(user)
    await rig.store.committed()
    return rig
  }

  async addUser(user: UserId): Promise<void> {
    if (this.roster.user(user) === undefined) await this.roster.addUser(user, { isAdmin: false })
  }

  async #start(): Promise<void> {
    await this.store.start(
      (key, value) => {
        if (tableOf(key) === 'entry') this.journal.visit(key, value)
        if (tableOf(key) === 'record') this.records.visit(key)
        if (tableOf(key) !== 'box') return
        this.journal.saw(lastNumber(key))
        this.mailboxes.visit(key, value)
      },
      () => {
        const { store, clock, log } = this
        this.journal = new Journal({ store, clock, log })
        this.mailboxes = new Mailboxes({ store })
        this.records = new Records({ store })
      },
    )
    // Journal and mailboxes may have been made anew, and everything else is built on them.
    this.counts = new Counts(this)
    this.roster = this.#newRoster()
    this.post = this.#newPost()
    this.journal.start('relay0.1', (kind, key, value) => {
      this.roster.restore(kind, key, value)
    })
    this.roster.start()
    this.counts.start()
    this.janitor = this.#newJanitor()
    this.inquiry = this.#newInquiry()
  }

  /** Stops in order and opens again; no device is connected then. */
  async restart(): Promise<void> {
    for (const device of this.devices) device.leave()
    this.roster.stop()
    this.journal.finish()
    await this.store.stop()
    this.store = this.#newStore()
    this.journal = new Journal(this)
    this.mailboxes = new Mailboxes(this)
    this.records = new Records(this)
    await this.#start()
  }

  /** A second post office on what a SIGKILL at this moment would leave; this one ends. */
  async crash(): Promise<Rig> {
    const path = `${this.path}-again`
    copyStore(this.path, path)
    await this.end()
    const rig = new Rig(this.#t, path, this.#options, this.clock)
    rig.#ids = this.#ids
    this.#t.teardown(() => rig.end())
    await rig.#start()
    return rig
  }

  /** Lets go of the store; a second time is fine. */
  async end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.disk.letGo()
    this.disk.failures.length = 0
    for (const { id } of this.roster.users()) {
      for (const session of this.post.sessionsOf(id)) this.post.disconnected(session)
    }
    this.roster.stop()
    await this.store.stop()
  }

  #newStore(): Store {
    const { clock, log, disk } = this
    return new Store({ clock, log, disk, open: disk.open }, { path: this.path })
  }

  #newRoster(): Roster {
    const passwords = new Passwords({ random: randomBytes }, { cost: GENERATED_COST })
    const { journal, clock } = this
    return new Roster({ state: journal, clock, passwords, onPresence: () => undefined })
  }

  #newPost(): PostOffice {
    return new PostOffice(this, {
      payloadBytesMax: LIMITS.payloadBytesMax,
      mailboxMessagesMax: LIMITS.mailboxMessagesMax,
      mailboxBytesMax: LIMITS.mailboxBytesMax,
      senderMessagesMax: LIMITS.senderMessagesMax,
      expiresAfterS: LIMITS.expiresAfterSMax,
      keepsPayloads: false,
      ...this.#options,
    })
  }

  #newJanitor(): Janitor {
    const { listedForMs = LISTED_FOR_MS, keepsPayloads = false } = this.#options
    return new Janitor(this, {
      listedForMs,
      retention: keepsPayloads ? 'forever' : 'delivered',
    })
  }

  #newInquiry(): Inquiry {
    const isConnected = (user: UserId, device: { id: string }) =>
      this.devices.some((one) => one.isHere && one.user === user && one.device === device.id)
    return new Inquiry(
      { ...this, isConnected },
      { relay: 'test', listedForMs: LISTED_FOR_MS, ...this.#options },
    )
  }

  /** Connects a device, subscribed to all that its user may read unless told otherwise. */
  device(user: UserId, id: string, options: DeviceOptions = {}): TestDevice {
    const device = new TestDevice(this, { user, device: deviceId(id) }, options)
    this.devices.push(device)
    device.come()
    return device
  }

  /** Hands a message in; nobody waits. */
  hand(options: LetterOptions = {}, from: UserId = alice, to: UserId = bob): Letter {
    this.#ids += 1
    const { payload = 'hello', ...rest } = options
    const id = options.id ?? messageId(`m${this.#ids}`)
    const letter: Letter = { id, state: 'waiting', answers: 0, wasFull: false }
    const tell = (state: Letter['state']) => {
      letter.state = state
      letter.answers += 1
      letter.wasFull = this.store.isFull
    }
    this.post.accept(
      { from, to, qos: 1, ...rest, id, payload: Buffer.from(payload) },
      { accepted: () => tell('accepted'), refused: tell },
    )
    return letter
  }

  /** Hands a message in and waits until everything that follows of it has happened. */
  async send(options: LetterOptions = {}, from: UserId = alice, to: UserId = bob): Promise<Letter> {
    const letter = this.hand(options, from, to)
    await this.quiet()
    return letter
  }

  /** Waits until everything is committed, read and delivered that can be without time passing. */
  async quiet(): Promise<void> {
    for (let idle = 0; idle < 4; ) {
      await new Promise(setImmediate)
      const { store, disk } = this
      const isBusy = disk.reads > 0 || store.stats.pendingWrites > 0
      if (store.stats.pendingWrites > 0) await this.#committed()
      idle = isBusy ? 0 : idle + 1
    }
  }

  /** A store that could not be opened again at once waits for the clock before its next try. */
  async #committed(): Promise<void> {
    const pause = setInterval(() => this.clock.advance(RETRY_MS), PATIENCE_MS)
    await this.store.committed()
    clearInterval(pause)
  }

  /** One turn of the loop: what was handed in is on its way to the disk. */
  async turn(): Promise<void> {
    await new Promise(setImmediate)
  }

  /** Lets time pass, with the round of the janitor that is due then. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.janitor.sweep()
    await this.quiet()
  }

  /** The statuses that wait for a sender's devices, and went to nobody yet, as text. */
  async keys(prefix: string): Promise<string[]> {
    await this.quiet()
    const pairs = await this.store.scan({ gte: prefix, lt: `${prefix}\uffff`, limit: 100_000 })
    return pairs.map(([key]) => key)
  }
}
