import t from 'tap'
import { Census } from '../../src/delivery/census.ts'
import { encodeRecord, type MessageRecord } from '../../src/mailbox/record.ts'
import { encodeEntry } from '../../src/message/entry.ts'
import { messageId, userId } from '../../src/message/names.ts'

const accepted = { atMs: 0, clock: 'ntp' } as const
const ENTRY = encodeEntry({
  kind: 'message',
  hlc: 1,
  message: {
    id: messageId('m1'),
    from: userId('alice'),
    to: userId('bob'),
    accepted,
    expiresAfterS: 1,
    qos: 1,
    payload: Buffer.from('stored'),
  },
})
const STATE = encodeEntry({
  kind: 'state',
  hlc: 1,
  record: { kind: 'user', key: 'bob', value: {} },
})

function record(status: MessageRecord['status']): Uint8Array {
  const settledMs = status === 'stored' ? 0 : 1
  return encodeRecord({ status, seq: 1, accepted, bytes: 6, deadlineMs: 1, settledMs, events: [] })
}

const WHOLE: [string, Uint8Array][] = [
  ['box/inbox/bob/1', Buffer.from('[]')],
  ['box/receipts/alice/2', Buffer.from('[]')],
  ['entry/relay.1/1', ENTRY],
  ['entry/relay.1/3', STATE],
  ['record/alice/bob/m0', record('delivered')],
  ['record/alice/bob/m1', record('stored')],
]

function agrees(pairs: readonly [string, Uint8Array][], keepsPayloads = false): boolean {
  const census = new Census()
  for (const [key, value] of pairs) census.visit(key, value)
  return census.agrees({ keepsPayloads })
}

t.test('an empty store and a whole one agree', async (t) => {
  t.equal(agrees([]), true)
  t.equal(agrees(WHOLE), true)
})

for (const gone of ['box/inbox/bob/1', 'entry/relay.1/1', 'record/alice/bob/m1']) {
  t.test(`without ${gone} it does not agree`, async (t) => {
    const rest = WHOLE.filter(([key]) => key !== gone)
    t.equal(agrees(rest), false)
  })
}

t.test('what is no message that waits may come and go', async (t) => {
  for (const free of ['box/receipts/alice/2', 'entry/relay.1/3', 'record/alice/bob/m0']) {
    t.equal(agrees(WHOLE.filter(([key]) => key !== free)), true, free)
  }
})

t.test('one place for the entry of another message does not agree', async (t) => {
  const moved = WHOLE.map(([key, value]): [string, Uint8Array] => [
    key === 'box/inbox/bob/1' ? 'box/inbox/bob/4' : key,
    value,
  ])
  t.equal(agrees(moved), false)
})

t.test('entries of delivered messages agree only where they are kept on purpose', async (t) => {
  const history = [...WHOLE, ['entry/relay.1/9', ENTRY] as [string, Uint8Array]]
  t.equal(agrees(history), false)
  t.equal(agrees(history, true), true)
})
