/**
 * A message between its acceptance and its commit. In this short time it may already have
 * reached all devices of its recipient; then it is withdrawn from the commit, and its bytes are
 * never written.
 */
import type { RelayError } from '../errors.ts'
import type { Mail, Mailbox } from '../mailbox/mailbox.ts'
import type { MessageRecord } from '../mailbox/record.ts'
import type { Offer, OfferWaiter } from '../store/store.ts'
import type { Written } from './receipts.ts'

/** Who published a message and waits for its acknowledgement. */
export interface AcceptWaiter {
  /** On disk, or with all devices: PUBACK. */
  accepted(): void
  refused(error: RelayError): void
}

/** What becomes of an acceptance is decided by the post office. */
export interface AcceptanceOwner {
  committed(acceptance: Acceptance): void
  undone(acceptance: Acceptance, error: RelayError): void
}

export class Acceptance implements OfferWaiter {
  readonly key: string
  readonly mailbox: Mailbox
  readonly mail: Mail
  /** The receipt `stored`, where there is one. */
  readonly stored: Written | undefined
  /** The sender, and whoever has sent the same message again meanwhile. */
  readonly waiters: AcceptWaiter[]
  /** Set as soon as the offer is made. */
  offer: Offer | undefined
  /** Whether all devices may acknowledge before the commit. */
  isHoped = false
  /** The final record, once the message has settled before its commit ended. */
  settled: MessageRecord | undefined
  readonly #owner: AcceptanceOwner

  constructor(
    owner: AcceptanceOwner,
    given: {
      key: string
      mailbox: Mailbox
      mail: Mail
      stored: Written | undefined
      waiter: AcceptWaiter
    },
  ) {
    this.#owner = owner
    this.key = given.key
    this.mailbox = given.mailbox
    this.mail = given.mail
    this.stored = given.stored
    this.waiters = [given.waiter]
  }

  committed(): void {
    this.#owner.committed(this)
  }

  refused(error: RelayError): void {
    this.#owner.undone(this, error)
  }
}

/** Tells everybody who waits for a message that it is safe. */
export function accepted(waiters: readonly AcceptWaiter[]): void {
  for (const waiter of waiters) waiter.accepted()
}
