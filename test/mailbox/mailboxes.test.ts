import t from 'tap'
import { encodeItem, type Item } from '../../src/mailbox/item.ts'
import { Mailboxes } from '../../src/mailbox/mailboxes.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from '../delivery/rig.ts'

const ITEM: Item = {
  bytes: 10,
  deadlineMs: 1_000,
  from: alice,
  id: messageId('m'),
  acks: [],
  received: [],
}

t.test('the boxes of a user are made when they are needed, once', async (t) => {
  const mailboxes = new Mailboxes(await Rig.open(t))
  const inbox = mailboxes.of('inbox', bob)
  t.equal(mailboxes.of('inbox', bob), inbox)
  t.not(mailboxes.of('receipts', bob), inbox)
  t.not(mailboxes.of('inbox', alice), inbox)
  t.equal([...mailboxes.all()].length, 3)
})

t.test('what is on disk is counted at start', async (t) => {
  const mailboxes = new Mailboxes(await Rig.open(t))
  mailboxes.visit('box/inbox/bob/00000000005', encodeItem(ITEM))
  mailboxes.visit('box/inbox/bob/0000000000a', encodeItem(ITEM))
  mailboxes.visit('box/receipts/alice/00000000007', encodeItem({ ...ITEM, bytes: 0 }))
  t.match(mailboxes.of('inbox', bob), { messages: 2, bytes: 20, lastCommitted: 10 })
  t.match(mailboxes.of('receipts', alice), { messages: 1, bytes: 0, lastCommitted: 7 })
  t.equal(mailboxes.queued, 2, 'receipts are no messages')
  t.equal(mailboxes.bytes, 20)
  t.equal(mailboxes.sentBy(alice), 2)
  t.equal(mailboxes.sentBy(bob), 0)
})

t.test('what a sender has under way is counted up and down', async (t) => {
  const mailboxes = new Mailboxes(await Rig.open(t))
  mailboxes.countSent(alice, 1)
  mailboxes.countSent(alice, 1)
  mailboxes.countSent(bob, 1)
  mailboxes.countSent(alice, -1)
  t.same([mailboxes.sentBy(alice), mailboxes.sentBy(bob), mailboxes.queued], [1, 1, 2])
  mailboxes.countSent(alice, -1)
  t.same([mailboxes.sentBy(alice), mailboxes.queued], [0, 1])
})

t.test('only a box that holds and serves nothing is forgotten', async (t) => {
  const mailboxes = new Mailboxes(await Rig.open(t))
  const box = mailboxes.of('inbox', bob)
  box.restore(1, ITEM)
  mailboxes.tidy(box)
  t.equal(mailboxes.of('inbox', bob), box)
  mailboxes.tidy(mailboxes.of('inbox', alice))
  t.equal([...mailboxes.all()].length, 1)
})
