import t from 'tap'
import { type Load, refusalOf } from '../../src/delivery/admission.ts'
import { LIMITS } from '../../src/limits.ts'
import { alice, bob } from './rig.ts'

const BOUNDS = {
  payloadBytesMax: 100,
  mailboxMessagesMax: 10,
  mailboxBytesMax: 1_000,
  senderMessagesMax: 20,
}

const EASY: Load = {
  from: alice,
  to: bob,
  bytes: 10,
  isRecipientKnown: true,
  isDiskFull: false,
  mailboxMessages: 0,
  mailboxBytes: 0,
  senderMessages: 0,
  senderReceipts: 0,
}

const codeOf = (change: Partial<Load>) => refusalOf({ ...EASY, ...change }, BOUNDS)?.code

t.test('a message comes in where there is room', async (t) => {
  t.equal(codeOf({}), undefined)
  t.equal(codeOf({ bytes: 0 }), undefined)
})

t.test('each bound holds what it says, and refuses one more', async (t) => {
  t.equal(codeOf({ bytes: 100 }), undefined)
  t.equal(codeOf({ bytes: 101 }), 'PAYLOAD_TOO_LARGE')
  t.equal(codeOf({ mailboxMessages: 9 }), undefined)
  t.equal(codeOf({ mailboxMessages: 10 }), 'MAILBOX_FULL')
  t.equal(codeOf({ mailboxBytes: 990 }), undefined)
  t.equal(codeOf({ mailboxBytes: 991 }), 'MAILBOX_FULL')
  t.equal(codeOf({ senderMessages: 19 }), undefined)
  t.equal(codeOf({ senderMessages: 20 }), 'SENDER_FULL')
  t.equal(codeOf({ senderReceipts: LIMITS.receiptsMax - 1 }), undefined)
  t.equal(codeOf({ senderReceipts: LIMITS.receiptsMax }), 'RECEIPTS_FULL')
})

t.test('nobody is there, or no room at all', async (t) => {
  t.equal(codeOf({ isRecipientKnown: false }), 'NOT_FOUND')
  t.equal(codeOf({ isDiskFull: true }), 'DISK_FULL')
})

t.test('what can never be taken is said before what may be taken later', async (t) => {
  t.equal(codeOf({ isRecipientKnown: false, bytes: 101, isDiskFull: true }), 'NOT_FOUND')
  t.equal(codeOf({ bytes: 101, isDiskFull: true, mailboxMessages: 10 }), 'PAYLOAD_TOO_LARGE')
})

t.test('a refusal says whose bound it is and how much', async (t) => {
  t.match(refusalOf({ ...EASY, mailboxMessages: 10 }, BOUNDS)?.message, /\b10\b.*\bbob\b/)
  t.match(refusalOf({ ...EASY, senderMessages: 20 }, BOUNDS)?.message, /\b20\b.*\balice\b/)
})
