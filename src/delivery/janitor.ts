/**
 * What time does to a post office: messages expire, the bytes of removed ones leave the disk,
 * records leave the list and then the store,
 * devices that nobody has seen for long no longer hold mail back. Everything counts the age of
 * the store (see journal/times.ts), never the wall clock.
 */
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { MessageRecord } from '../mailbox/record.ts'
import type { Records } from '../mailbox/records.ts'
import type { Roster } from '../roster/roster.ts'
import type { Store } from '../store/store.ts'
import type { PostOffice } from './post-office.ts'

export type JanitorParts = {
  readonly store: Store
  readonly journal: Journal
  readonly mailboxes: Mailboxes
  readonly records: Pick<Records, 'sweep'>
  readonly post: Pick<PostOffice, 'expire' | 'devicesLeft'>
  readonly roster: Pick<Roster, 'idleSince' | 'release'>
  readonly clock: Clock
  readonly log: Log
}

export class Janitor {
  readonly #parts: JanitorParts
  readonly #listedForMs: number
  readonly #keepsRecords: boolean
  #cancel: () => void = () => undefined
  #round: Promise<void> = Promise.resolve()
  #isRunning = false
  #savedMs = 0
  #recordsMs = 0
  #compactedMs = 0

  /**
   * @param options.listedForMs how long a settled message stays in lists
   * @param options.retention `forever`: payloads stay, and so do the records that say they are settled
   */
  constructor(
    parts: JanitorParts,
    options: { listedForMs: number; retention: 'delivered' | 'forever' },
  ) {
    this.#parts = parts
    this.#listedForMs = options.listedForMs
    this.#keepsRecords = options.retention === 'forever'
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#savedMs = this.#parts.journal.ageMs()
    this.#recordsMs = this.#parts.journal.ageMs()
    this.#compactedMs = this.#parts.journal.ageMs()
    this.#plan()
  }

  /** Ends after the round that is under way. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel()
    await this.#round
  }

  #plan(): void {
    if (!this.#isRunning) return
    this.#cancel = this.#parts.clock.after(LIMITS.sweepMs, () => {
      this.#round = this.sweep()
        .catch((error: unknown) => this.#parts.log.error({ error }, 'a sweep failed; trying again'))
        .then(() => this.#plan())
    })
  }

  /** One round. */
  async sweep(): Promise<void> {
    const { journal, mailboxes } = this.#parts
    const ageMs = journal.ageMs()
    for (const mailbox of [...mailboxes.all()]) {
      if (mailbox.earliestDeadlineMs <= ageMs) await this.#expire(mailbox, ageMs)
      mailboxes.tidy(mailbox)
    }
    if (ageMs - this.#recordsMs >= LIMITS.recordSweepMs) {
      this.#recordsMs = ageMs
      if (!this.#keepsRecords) await this.#forget(ageMs)
      await this.#lapse(ageMs)
    }
    if (ageMs - this.#compactedMs >= LIMITS.compactMs) {
      this.#compactedMs = ageMs
      await this.#parts.store.tidy()
    }
    if (ageMs - this.#savedMs >= LIMITS.ageSaveMsMax && mailboxes.queued > 0) {
      this.#savedMs = ageMs
      journal.saveTimes()
    }
  }

  async #expire(mailbox: Mailbox, ageMs: number): Promise<void> {
    // What arrives from here on counts by itself. After a failure everything is due again.
    mailbox.setEarliestDeadline(Number.POSITIVE_INFINITY)
    let earliest = ageMs
    try {
      earliest = await this.#expireItems(mailbox, ageMs)
    } finally {
      mailbox.setEarliestDeadline(Math.min(earliest, mailbox.earliestDeadlineMs))
    }
  }

  async #expireItems(mailbox: Mailbox, ageMs: number): Promise<number> {
    let earliest = Number.POSITIVE_INFINITY
    for await (const { seq, item } of mailbox.items()) {
      if (item.deadlineMs <= ageMs) {
        this.#parts.post.expire(mailbox, seq, item, 'its time was up')
      } else {
        earliest = Math.min(earliest, item.deadlineMs)
      }
    }
    return earliest
  }

  /** Removes records that nobody lists and no retry can meet any more. */
  async #forget(ageMs: number): Promise<void> {
    await this.#parts.records.sweep((record) => ageMs < this.#neededUntil(record))
  }

  /** A device unseen for long no longer holds mail back; when it returns it gets new mail. */
  async #lapse(ageMs: number): Promise<void> {
    const { roster, post, log } = this.#parts
    for (const { user, device } of [...roster.idleSince(ageMs - LIMITS.deviceIdleMsMax)]) {
      log.warn({ user, device: device.id }, 'a device has not been seen for long; it holds no mail')
      roster.release(user, device.id, ['inbox', 'receipts'])
      await post.devicesLeft(user)
    }
  }

  #neededUntil(record: MessageRecord): number {
    if (record.settledMs === 0) return Number.POSITIVE_INFINITY
    const listedUntil = record.settledMs + this.#listedForMs
    return Math.max(listedUntil, record.deadlineMs, record.settledMs + LIMITS.duplicateWindowMs)
  }
}
