import t from 'tap'
import { decodeItem, encodeItem, hasAcked, type Item } from '../../src/mailbox/item.ts'
import { deviceId, messageId } from '../../src/message/names.ts'
import { alice, bob } from '../delivery/rig.ts'

const ITEM: Item = {
  bytes: 12,
  deadlineMs: 30 * 86_400_000,
  from: alice,
  id: messageId('m1'),
  acks: [{ device: 1, at: { atMs: 5, clock: 'gps' } }],
  received: [2, 3],
}
const RECEIPT = {
  id: ITEM.id,
  from: alice,
  to: bob,
  status: 'delivered',
  at: { atMs: 1.5, clock: 'none' },
} as const

t.test('what is encoded is decoded', async (t) => {
  const items: Item[] = [
    ITEM,
    { ...ITEM, acks: [], received: [] },
    { ...ITEM, receipt: RECEIPT },
    { ...ITEM, receipt: { ...RECEIPT, device: deviceId('ä "📱"'), reason: 'line\nbreak' } },
  ]
  for (const item of items) {
    t.strictSame(decodeItem(encodeItem(item)), item)
    t.ok(Buffer.from(encodeItem(decodeItem(encodeItem(item)))).equals(encodeItem(item)))
  }
})

t.test('who has acknowledged is known by number', async (t) => {
  t.equal(hasAcked(ITEM, 1), true)
  t.equal(hasAcked(ITEM, 2), false, 'PUBREC is not the end')
})
