/**
 * The rule of the house: a message is acknowledged to its sender when it is on disk or all
 * devices of the recipient have it, stays until they have, and then is gone.
 *
 *     accept -> offered to the commit, shown to the devices that are here
 *        -> on disk: PUBACK, receipt `stored`                  committed()
 *        -> refused by the disk: 0x97, receipt `refused`       undone()
 *     device acknowledges -> receipt `delivered` for it        acknowledged()
 *        -> it was the last one: settled, bytes gone           #settle()
 *
 * All that one step writes is written in one turn of the loop and so lands in one commit.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import type { Journal } from '../journal/journal.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { hasAcked, type Item } from '../mailbox/item.ts'
import type { BoxName, Mail, Mailbox } from '../mailbox/mailbox.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import { type RecordEvent, recordKey } from '../mailbox/record.ts'
import type { Records } from '../mailbox/records.ts'
import type { Message, Properties } from '../message/message.ts'
import type { DeviceId, MessageId, UserId } from '../message/names.ts'
import type { Device } from '../roster/device.ts'
import type { Roster } from '../roster/roster.ts'
import type { Store } from '../store/store.ts'
import { Acceptance, type AcceptanceOwner, type AcceptWaiter, accepted } from './acceptance.ts'
import { type AdmissionLimits, refusalOf } from './admission.ts'
import type { Counts } from './counts.ts'
import { earlierReceipts } from './earlier-receipts.ts'
import type { DevicePort } from './port.ts'
import { Receipts } from './receipts.ts'
import { DeviceSession, type SessionOffice } from './session.ts'
import { type Outcome, Settlement } from './settlement.ts'
import { stampNow } from './stamp.ts'

/** A message as it comes in. */
export type Draft = {
  readonly id: MessageId
  readonly from: UserId
  readonly to: UserId
  readonly qos: 0 | 1 | 2
  readonly payload: Uint8Array
  readonly properties?: Properties | undefined
  /** MQTT 5 Message Expiry Interval; the relay's own bound is the upper one. */
  readonly expiresAfterS?: number | undefined
}

export type PostOptions = AdmissionLimits & {
  /** How long a message may wait, seconds. */
  readonly expiresAfterS: number
  /** Whether payloads stay after delivery, for teams that want a history. */
  readonly keepsPayloads: boolean
}

export type PostParts = {
  readonly store: Store
  readonly journal: Journal
  readonly mailboxes: Mailboxes
  readonly records: Records
  readonly roster: Roster
  readonly counts: Counts
  /** Whether the store has all the disk that it may have. */
  readonly gauge: { readonly isOver: boolean }
  readonly clock: Clock
  readonly log: Log
}

export class PostOffice implements AcceptanceOwner {
  readonly #parts: PostParts
  readonly #options: PostOptions
  readonly #receipts: Receipts
  readonly #settlement: Settlement
  readonly #acceptances = new Map<string, Acceptance>()
  readonly #sessions = new Map<string, DeviceSession>()
  /** Acceptances that may be withdrawn; the commit waits for them a little. */
  #hopes = 0

  constructor(parts: PostParts, options: PostOptions) {
    this.#parts = parts
    this.#options = options
    this.#receipts = new Receipts(parts)
    this.#settlement = new Settlement({ ...parts, receipts: this.#receipts }, options)
  }

  /** A device is here. One that is here already under this id is replaced [MQTT-3.1.4-2]. */
  connected(port: DevicePort, device: Device): DeviceSession {
    const key = sessionKey(port.user, port.device)
    this.#sessions.get(key)?.close()
    const office = this.#officeOf(port.user)
    const session = new DeviceSession({ ...this.#parts, office, port, device })
    this.#sessions.set(key, session)
    return session
  }

  /** The connection of a session is gone. */
  disconnected(session: DeviceSession): void {
    const key = sessionKey(session.port.user, session.port.device)
    session.close()
    if (this.#sessions.get(key) === session) this.#sessions.delete(key)
  }

  /** The sessions of a user's devices that are here. */
  sessionsOf(user: UserId): DeviceSession[] {
    return [...this.#sessions.values()].filter((session) => session.port.user === user)
  }

  #officeOf(user: UserId): SessionOffice {
    const { mailboxes, journal } = this.#parts
    return {
      acknowledged: (mailbox, seq, item, device) => this.#acknowledged(mailbox, seq, item, device),
      received: (mailbox, seq, item, device, recorded) =>
        this.#received(mailbox, seq, item, device, recorded),
      lost: (mailbox, seq, item) => this.expire(mailbox, seq, item, 'the store was damaged'),
      mailbox: (box: BoxName) => mailboxes.of(box, user),
      receiptsWanted: () => void this.#wantReceipts(user),
      ageMs: () => journal.ageMs(),
    }
  }

  /** Takes a message, or refuses it; the waiter is told which, and the sender by a receipt. */
  accept(draft: Draft, waiter: AcceptWaiter): void {
    const key = recordKey(draft.from, draft.to, draft.id)
    const pending = this.#acceptances.get(key)
    if (pending !== undefined) {
      pending.waiters.push(waiter)
      return
    }
    if (this.#parts.records.get(key) !== undefined) {
      // The sender has sent it again: one message, acknowledged like the first time.
      this.#parts.store.afterCommit(() => waiter.accepted())
      this.#parts.store.flushSoon()
      return
    }
    const refusal = this.#refusalOf(draft)
    if (refusal === undefined) this.#take(draft, key, waiter)
    else this.refuse(draft, refusal, waiter)
  }

  /** Tells everybody concerned that a message was not taken. */
  refuse(
    { id, from, to }: Pick<Draft, 'id' | 'from' | 'to'>,
    error: RelayError,
    waiter: Pick<AcceptWaiter, 'refused'>,
  ): void {
    const fact = { id, from, to, status: 'refused', reason: error.message } as const
    // A full disk cannot keep a receipt, and a sender who never takes any could fill it.
    const isCrowded = this.#receipts.waiting(from) >= LIMITS.receiptsMax
    if (this.#parts.store.isFull || isCrowded) this.#receipts.tell(fact)
    else this.#receipts.write(fact)
    this.#parts.counts.add('refused')
    waiter.refused(error)
  }

  #refusalOf({ from, to, payload }: Draft): RelayError | undefined {
    const { mailboxes, roster, store, gauge } = this.#parts
    const inbox = mailboxes.of('inbox', to)
    const load = {
      from,
      to,
      bytes: payload.length,
      isRecipientKnown: roster.user(to) !== undefined,
      isDiskFull: store.isFull || gauge.isOver,
      mailboxMessages: inbox.messages,
      mailboxBytes: inbox.bytes,
      senderMessages: mailboxes.sentBy(from),
      senderReceipts: this.#receipts.waiting(from),
    }
    const refusal = refusalOf(load, this.#options)
    mailboxes.tidy(inbox)
    return refusal
  }

  #take(draft: Draft, key: string, waiter: AcceptWaiter): void {
    const { store, journal, mailboxes, records } = this.#parts
    const message = this.#messageOf(draft)
    const { id, from, to, payload, accepted: acceptedAt } = message
    const mailbox = mailboxes.of('inbox', to)
    const seq = journal.nextSeq()
    const deadlineMs = journal.ageMs() + message.expiresAfterS * 1000
    const item: Item = { bytes: payload.length, deadlineMs, from, id, acks: [], received: [] }
    const entry = journal.messageWrite(seq, message)
    const mail: Mail = { seq, item, content: { kind: 'message', message } }
    const record = records.write(key, {
      status: 'stored',
      seq,
      accepted: acceptedAt,
      bytes: payload.length,
      deadlineMs,
      settledMs: 0,
      events: [],
    })
    const stored = this.#receipts.write({ id, from, to, status: 'stored' })
    const acceptance = new Acceptance(this, { key, mailbox, mail, stored, waiter })
    this.#acceptances.set(key, acceptance)
    const writes = [entry, mailbox.write(seq, item), record]
    acceptance.offer = store.offer(writes, acceptance)
    mailboxes.countSent(from, 1)
    mailbox.add(mail)
    this.#hope(acceptance)
  }

  #messageOf({ id, from, to, qos, payload, properties, expiresAfterS }: Draft): Message {
    const bound = this.#options.expiresAfterS
    return {
      id,
      from,
      to,
      accepted: stampNow(this.#parts.clock),
      expiresAfterS: Math.min(expiresAfterS ?? bound, bound),
      qos: qos === 2 ? 2 : 1,
      payload,
      properties,
    }
  }

  /** Where all devices are here, the commit waits a little for them; else it starts at once. */
  #hope(acceptance: Acceptance): void {
    const { mailbox, mail } = acceptance
    const holders = this.#parts.roster.holders(mailbox.user, 'inbox').length
    let sending = 0
    for (const listener of mailbox.listeners) if (listener.isSending(mail.seq)) sending += 1
    acceptance.isHoped = holders > 0 && sending >= holders
    if (acceptance.isHoped) this.#hopes += 1
    else this.#parts.store.flushSoon()
  }

  #hopeEnds(acceptance: Acceptance): void {
    if (!acceptance.isHoped) return
    acceptance.isHoped = false
    this.#hopes -= 1
    if (this.#hopes === 0) this.#parts.store.flushSoon()
  }

  committed(acceptance: Acceptance): void {
    this.#acceptances.delete(acceptance.key)
    this.#hopeEnds(acceptance)
    acceptance.mailbox.committed(acceptance.mail.seq)
    accepted(acceptance.waiters)
  }

  /** The disk had no room for a message that was taken. */
  undone(acceptance: Acceptance, error: RelayError): void {
    const { mailbox, mail, key, waiters, settled } = acceptance
    this.#acceptances.delete(key)
    this.#hopeEnds(acceptance)
    if (settled !== undefined) {
      // All devices have it although the disk never did: that is delivered, not refused.
      this.#parts.records.insert(key, settled)
      this.#parts.store.afterCommit(() => accepted(waiters))
      return
    }
    const { from, id } = mail.item
    mailbox.remove(mail.seq, mail.item, false)
    this.#parts.mailboxes.countSent(from, -1)
    this.#receipts.takeBack(acceptance.stored)
    this.refuse({ id, from, to: mailbox.user }, error, {
      refused: (why) => {
        for (const waiter of waiters) waiter.refused(why)
      },
    })
  }

  /** A device has an entry. With the last device the entry is gone. */
  #acknowledged(mailbox: Mailbox, seq: number, item: Item, device: Device): void {
    if (hasAcked(item, device.number)) return
    item.acks.push({ device: device.number, at: stampNow(this.#parts.clock) })
    const place = item.received.indexOf(device.number)
    if (place >= 0) item.received.splice(place, 1)
    if (mailbox.box === 'inbox') {
      const { id, from } = item
      this.#receipts.write({ id, from, to: mailbox.user, status: 'delivered', device: device.id })
    }
    if (this.#isMissing(mailbox, item)) mailbox.update(seq, item)
    else this.#settle(mailbox, seq, item, { status: 'delivered' })
  }

  /** A device has taken over a QoS 2 delivery; `recorded` runs when that is on disk. */
  #received(mailbox: Mailbox, seq: number, item: Item, device: Device, recorded: () => void): void {
    if (!item.received.includes(device.number)) item.received.push(device.number)
    mailbox.update(seq, item)
    this.#parts.store.afterCommit(recorded)
    this.#parts.store.flushSoon()
  }

  /** Whether a device that holds this box has not acknowledged yet. */
  #isMissing(mailbox: Mailbox, item: Item): boolean {
    const holders = this.#parts.roster.holders(mailbox.user, mailbox.box)
    return holders.some((device) => !hasAcked(item, device.number))
  }

  /** Ends the life of an entry that is still waited for. */
  expire(mailbox: Mailbox, seq: number, item: Item, reason: string): void {
    this.#settle(mailbox, seq, item, { status: 'expired', reason })
  }

  /** Settles what only waited for devices that are no longer counted. */
  async devicesLeft(user: UserId): Promise<void> {
    for (const box of ['inbox', 'receipts'] as const) {
      const mailbox = this.#parts.mailboxes.of(box, user)
      for await (const { seq, item } of mailbox.items()) {
        if (item.acks.length > 0 && !this.#isMissing(mailbox, item)) {
          this.#settle(mailbox, seq, item, { status: 'delivered' })
        }
      }
    }
  }

  /**
   * A device of the user asks for receipts, the first ever: from now on they are kept, and those
   * of what has happened before are made.
   */
  async #wantReceipts(user: UserId): Promise<void> {
    const { roster, log } = this.#parts
    if (roster.user(user)?.wantsReceipts !== false || this.#receipts.isMakingEarlier(user)) return
    this.#receipts.beginEarlier(user)
    try {
      const earlier = await earlierReceipts(this.#parts, user)
      // The user may be gone meanwhile.
      if (roster.user(user) === undefined) return
      roster.setWantsReceipts(user)
      this.#receipts.finishEarlier(user, earlier)
    } catch (error) {
      log.error({ user, error }, 'earlier receipts could not be made; the next subscription tries')
    } finally {
      this.#receipts.endEarlier(user)
    }
  }

  /** Ends everything that waits for a user who is removed, and the own receipts. */
  async userRemoved(user: UserId): Promise<void> {
    for (const box of ['inbox', 'receipts'] as const) {
      const mailbox = this.#parts.mailboxes.of(box, user)
      for await (const { seq, item } of mailbox.items()) {
        this.expire(mailbox, seq, item, `user ${user} was removed`)
      }
    }
  }

  #settle(mailbox: Mailbox, seq: number, item: Item, outcome: Outcome): void {
    // Another device, or the clock, may have ended it while this one was looking.
    if (!mailbox.has(seq)) return
    if (mailbox.box === 'receipts') {
      mailbox.remove(seq, item, true)
      return
    }
    const key = recordKey(item.from, mailbox.user, item.id)
    const acceptance = this.#acceptances.get(key)
    if (acceptance === undefined) {
      this.#settlement.settle(mailbox, seq, item, outcome)
      return
    }
    if (this.#settlement.settleEarly(acceptance, outcome)) {
      this.#acceptances.delete(key)
      this.#hopeEnds(acceptance)
    }
  }

  /**
   * The recipient says that a message was read; the sender gets one receipt for it.
   * @param recorded called when that is on disk
   * @throws NOT_FOUND for a message that this relay does not know
   */
  read(from: UserId, to: UserId, id: MessageId, recorded: () => void): void {
    const { store, records, clock } = this.#parts
    const key = recordKey(from, to, id)
    const record = records.get(key)
    if (record === undefined) {
      throw new RelayError('NOT_FOUND', `there is no message ${id} from ${from} to ${to}`)
    }
    if (record.events.every(({ what }) => what !== 'read')) {
      const status = record.status === 'delivered' ? 'read' : record.status
      const events: RecordEvent[] = [...record.events, { what: 'read', at: stampNow(clock) }]
      records.replace(key, { ...record, status, events })
      this.#receipts.write({ id, from, to, status: 'read' })
    }
    store.afterCommit(recorded)
    store.flushSoon()
  }
}

function sessionKey(user: UserId, device: DeviceId): string {
  return `${user}/${device}`
}
