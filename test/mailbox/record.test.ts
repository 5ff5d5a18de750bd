import t from 'tap'
import {
  decodeRecord,
  encodeRecord,
  type MessageRecord,
  parseRecordKey,
  recordKey,
} from '../../src/mailbox/record.ts'
import { deviceId, messageId } from '../../src/message/names.ts'
import { alice, bob } from '../delivery/rig.ts'

const at = { atMs: Date.UTC(2026, 5, 1), clock: 'ntp' } as const

const RECORD: MessageRecord = {
  status: 'stored',
  seq: 2 ** 40,
  accepted: at,
  bytes: 0,
  deadlineMs: 1,
  settledMs: 0,
  events: [],
}

t.test('what is encoded is decoded', async (t) => {
  const records: MessageRecord[] = [
    RECORD,
    {
      ...RECORD,
      status: 'read',
      settledMs: 7,
      events: [
        { what: 'delivered', at, device: deviceId('phone / é') },
        { what: 'delivered', at },
        { what: 'read', at },
      ],
    },
    { ...RECORD, status: 'expired', events: [{ what: 'expired', at, reason: 'why' }] },
  ]
  for (const record of records) t.strictSame(decodeRecord(encodeRecord(record)), record)
})

t.test('a key says whose message it is', async (t) => {
  const id = messageId('a-b_C')
  t.equal(recordKey(alice, bob, id), 'record/alice/bob/a-b_C')
  t.same(parseRecordKey(recordKey(alice, bob, id)), { from: alice, to: bob, id })
})

t.test('a key that is none is refused', async (t) => {
  t.throws(() => parseRecordKey('record/Alice/bob/m'), { code: 'BAD_NAME' })
  t.throws(() => parseRecordKey('record/alice'), { code: 'BAD_NAME' })
})
