/**
 * What a store brings to life: journal, mailboxes, roster, post office. A running relay puts
 * listeners around it; a command without a running relay works on it alone.
 */
import { decode, encode } from 'cborg'
import { OrdinaryTopics } from './broker/ordinary/topics.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import { Census } from './delivery/census.ts'
import { Counts } from './delivery/counts.ts'
import { mend } from './delivery/mend.ts'
import { PostOffice } from './delivery/post-office.ts'
import { type RandomBytes, randomHex } from './ids.ts'
import { Journal } from './journal/journal.ts'
import type { Log } from './log.ts'
import { Mailboxes } from './mailbox/mailboxes.ts'
import { Records } from './mailbox/records.ts'
import type { UserId } from './message/names.ts'
import { CHOSEN_COST, Passwords } from './roster/passwords.ts'
import { Roster } from './roster/roster.ts'
import { lastNumber, tableOf } from './store/keys.ts'
import { Store } from './store/store.ts'
import { DiskGauge } from './store/usage.ts'

export type OfficeParts = {
  readonly clock: Clock
  readonly log: Log
  readonly random: RandomBytes
  /** Called when what others may see of a user's presence has changed. */
  readonly onPresence: (user: UserId) => void
}

/** Everything that is built upon the pairs of one store. */
type Tenants = {
  readonly journal: Journal
  readonly mailboxes: Mailboxes
  readonly records: Records
  readonly topics: OrdinaryTopics
  readonly census: Census
}

const IDENTITY = 'meta/relay'
const ID_BYTES = 8

export class Office {
  readonly store: Store
  readonly #parts: OfficeParts
  readonly #config: Config
  readonly #gauge: DiskGauge
  #open: OpenOffice | undefined

  constructor(parts: OfficeParts, config: Config, path: string) {
    this.#parts = parts
    this.#config = config
    this.store = new Store(parts, { path })
    this.#gauge = new DiskGauge(parts, { folder: path, bytesMax: config.quota.diskBytesMax })
  }

  /** What is open between `start` and `stop`. */
  get open(): OpenOffice {
    if (this.#open === undefined) throw new Error('the office is not open')
    return this.#open
  }

  /** Opens the store and everything in it; mends what damage has torn apart. */
  async start(): Promise<void> {
    if (this.#open !== undefined) return
    const { store } = this
    let tenants = this.#tenants()
    await store.start(
      (key, value) => visit(tenants, key, value),
      () => {
        tenants = this.#tenants()
      },
    )
    await this.#gauge.start()
    this.#open = this.#furnish(tenants)
    const options = { keepsPayloads: this.#config.messages.retention === 'forever' }
    const isWhole = store.report.damages.length === 0 && tenants.census.agrees(options)
    if (!isWhole) await mend({ ...this.#parts, store, ...this.#open }, options)
  }

  /** Commits everything and closes the store. */
  async stop(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    await this.#gauge.stop()
    open.roster.stop()
    open.topics.stop()
    open.journal.finish()
    await this.store.stop()
  }

  #tenants(): Tenants {
    const parts = { ...this.#parts, store: this.store }
    const journal = new Journal(parts)
    return {
      journal,
      mailboxes: new Mailboxes(parts),
      records: new Records(parts),
      topics: new OrdinaryTopics({ ...parts, ageMs: () => journal.ageMs() }),
      census: new Census(),
    }
  }

  #furnish(tenants: Tenants): OpenOffice {
    const { store } = this
    const { clock, log, random, onPresence } = this.#parts
    const { journal, mailboxes, records } = tenants
    const passwords = new Passwords({ random }, { cost: CHOSEN_COST })
    const roster = new Roster({ state: journal, clock, passwords, onPresence })
    const id = this.#identity(journal)
    journal.start(`${id}.1`, (kind, key, value) => {
      if (roster.restore(kind, key, value)) return
      log.error({ kind, key }, 'a state record cannot be used and was left out')
    })
    for (const user of roster.start()) {
      log.warn({ user }, 'devices of a user who is not there were removed')
    }
    const counts = new Counts({ store, mailboxes })
    counts.start()
    tenants.topics.start()
    const { messages, quota } = this.#config
    const post = new PostOffice(
      { store, journal, mailboxes, records, roster, counts, gauge: this.#gauge, clock, log },
      { ...messages, ...quota, keepsPayloads: messages.retention === 'forever' },
    )
    return { ...tenants, id, passwords, roster, counts, post }
  }

  /** The id of the relay; made with its store. */
  #identity(journal: Journal): string {
    const stored = this.store.get(IDENTITY)
    if (stored !== undefined) return decode(stored) as string
    // Where damage has taken it, its entries still say whose they are.
    const id = journal.authorFound ?? randomHex(ID_BYTES, this.#parts.random)
    this.store.insert(IDENTITY, encode(id))
    return id
  }
}

export type OpenOffice = Tenants & {
  /** Name of this relay for other programs. */
  readonly id: string
  readonly passwords: Passwords
  readonly roster: Roster
  readonly counts: Counts
  readonly post: PostOffice
}

function visit(tenants: Tenants, key: string, value: Uint8Array): void {
  const { journal, mailboxes, records, topics, census } = tenants
  census.visit(key, value)
  switch (tableOf(key)) {
    case 'entry':
      journal.visit(key, value)
      return
    case 'box':
      journal.saw(lastNumber(key))
      mailboxes.visit(key, value)
      return
    case 'record':
      records.visit(key)
      return
    default:
      topics.visit(key, value)
  }
}
