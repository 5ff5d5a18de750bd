import t from 'tap'
import { type Receipt, receiptPayload } from '../../src/message/message.ts'
import { deviceId, messageId, userId } from '../../src/message/names.ts'

const RECEIPT: Receipt = {
  id: messageId('m1'),
  from: userId('alice'),
  to: userId('bob'),
  status: 'delivered',
  at: { atMs: Date.UTC(2026, 5, 1), clock: 'ntp' },
}

t.test('a receipt is JSON with its status, its time and how far to trust that', async (t) => {
  t.same(JSON.parse(receiptPayload(RECEIPT)), {
    status: 'delivered',
    at: '2026-06-01T00:00:00.000Z',
    clock: 'ntp',
  })
})

t.test('device and reason are there where they are known', async (t) => {
  const device = deviceId('my "phone"')
  t.match(JSON.parse(receiptPayload({ ...RECEIPT, device, reason: 'why\nnot' })), {
    device: 'my "phone"',
    reason: 'why\nnot',
  })
})
