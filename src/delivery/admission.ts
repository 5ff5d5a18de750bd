/** Whether a message may come in: a pure decision over sums that are known at once. */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { UserId } from '../message/names.ts'

export type AdmissionLimits = {
  readonly payloadBytesMax: number
  readonly mailboxMessagesMax: number
  readonly mailboxBytesMax: number
  readonly senderMessagesMax: number
}

/** How things stand for a message of `bytes` from `from` to `to`. */
export type Load = {
  readonly from: UserId
  readonly to: UserId
  readonly bytes: number
  readonly isRecipientKnown: boolean
  readonly isDiskFull: boolean
  readonly mailboxMessages: number
  readonly mailboxBytes: number
  readonly senderMessages: number
  readonly senderReceipts: number
}

/** Why the message is refused; `undefined` where it may come in. */
export function refusalOf(load: Load, limits: AdmissionLimits): RelayError | undefined {
  const { from, to, bytes } = load
  if (!load.isRecipientKnown) {
    return new RelayError('NOT_FOUND', `there is no user ${to} here`)
  }
  if (bytes > limits.payloadBytesMax) {
    const says = `the payload has ${bytes} bytes; at most ${limits.payloadBytesMax} are allowed`
    return new RelayError('PAYLOAD_TOO_LARGE', says)
  }
  if (load.isDiskFull) {
    const says = 'the disk of the relay is full; try again when messages have been delivered'
    return new RelayError('DISK_FULL', says)
  }
  if (load.mailboxMessages >= limits.mailboxMessagesMax) {
    const says = `${load.mailboxMessages} messages wait for ${to}, the most allowed; try again later`
    return new RelayError('MAILBOX_FULL', says)
  }
  if (load.mailboxBytes + bytes > limits.mailboxBytesMax) {
    const says = `${load.mailboxBytes} bytes wait for ${to}, ${limits.mailboxBytesMax} are allowed; try again later`
    return new RelayError('MAILBOX_FULL', says)
  }
  if (load.senderMessages >= limits.senderMessagesMax) {
    const says = `${load.senderMessages} messages of ${from} are undelivered, the most allowed; try again later`
    return new RelayError('SENDER_FULL', says)
  }
  if (load.senderReceipts >= LIMITS.receiptsMax) {
    const says = `${load.senderReceipts} receipts wait for ${from}; subscribe to users/${from}/receipts/#`
    return new RelayError('RECEIPTS_FULL', says)
  }
  return undefined
}
