import type { Test } from 'tap'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import type { Item } from '../../src/mailbox/item.ts'
import { type Mail, Mailbox, type MailListener } from '../../src/mailbox/mailbox.ts'
import { messageId, userId } from '../../src/message/names.ts'
import { alice, bob, Rig } from '../delivery/rig.ts'

class Listener implements MailListener {
  readonly heard: string[] = []

  arrived({ seq }: Mail): void {
    this.heard.push(`arrived ${seq}`)
  }

  committed(): void {
    this.heard.push('committed')
  }

  told(): void {
    this.heard.push('told')
  }

  copied(): void {
    this.heard.push('copied')
  }

  isSending(): boolean {
    return false
  }

  left(seq: number): void {
    this.heard.push(`left ${seq}`)
  }
}

const itemOf = (given: Partial<Item> = {}): Item => ({
  bytes: 10,
  deadlineMs: 1_000,
  from: alice,
  id: messageId('m'),
  acks: [],
  received: [],
  ...given,
})

const mailOf = (seq: number, item = itemOf()): Mail => ({
  seq,
  item,
  content: {
    kind: 'receipt',
    receipt: { id: item.id, from: alice, to: bob, status: 'read', at: { atMs: 0, clock: 'none' } },
  },
})

async function fresh(t: Test, user = bob) {
  const { store, disk } = await Rig.open(t)
  const mailbox = new Mailbox({ store }, { box: 'inbox', user })
  const listener = new Listener()
  mailbox.listeners.add(listener)
  /** Puts an item in and commits it. */
  const put = async (seq: number, item = itemOf()) => {
    const write = mailbox.write(seq, item)
    store.insert(write.key, write.value)
    mailbox.add(mailOf(seq, item))
    await store.committed()
    mailbox.committed(seq)
  }
  return { store, disk, mailbox, listener, put }
}

t.test('sums follow what comes and goes', async (t) => {
  const { mailbox, put } = await fresh(t)
  t.equal(mailbox.earliestDeadlineMs, Number.POSITIVE_INFINITY)
  await put(1, itemOf({ bytes: 5, deadlineMs: 2_000 }))
  await put(2, itemOf({ bytes: 7, deadlineMs: 1_000 }))
  t.match(mailbox, { messages: 2, bytes: 12, lastCommitted: 2, earliestDeadlineMs: 1_000 })
  mailbox.remove(1, itemOf({ bytes: 5 }), true)
  mailbox.remove(2, itemOf({ bytes: 7 }), true)
  t.match(mailbox, { messages: 0, bytes: 0, lastCommitted: 2 })
  t.equal(mailbox.earliestDeadlineMs, Number.POSITIVE_INFINITY)
})

t.test('a box is idle where it holds and serves nothing', async (t) => {
  const { mailbox, listener, put } = await fresh(t)
  t.equal(mailbox.isIdle, false)
  mailbox.listeners.delete(listener)
  t.equal(mailbox.isIdle, true)
  await put(1)
  t.equal(mailbox.isIdle, false)
})

t.test('listeners hear of mail, of its commit, and of its leaving', async (t) => {
  const { mailbox, listener, put } = await fresh(t)
  await put(1)
  mailbox.remove(1, itemOf(), true)
  mailbox.tell(mailOf(2).content)
  mailbox.copy(mailOf(3).content)
  t.same(listener.heard, ['arrived 1', 'committed', 'left 1', 'told', 'copied'])
})

t.test('mail is fresh until it is committed or leaves', async (t) => {
  const { store, mailbox } = await fresh(t)
  for (const seq of [1, 2, 3]) {
    const { key, value } = mailbox.write(seq, itemOf())
    store.insert(key, value)
    mailbox.add(mailOf(seq))
  }
  const fresh_ = (after: number) => [...mailbox.freshAfter(after)].map(({ seq }) => seq)
  t.same(fresh_(0), [1, 2, 3])
  t.same(fresh_(1), [2, 3])
  mailbox.committed(1)
  mailbox.remove(2, itemOf(), true)
  t.same(fresh_(0), [3])
  t.same(
    [1, 2, 3].map((seq) => mailbox.isFresh(seq)),
    [false, false, true],
  )
})

t.test('a scan brings what is on disk, after a number and up to a limit', async (t) => {
  const { mailbox, put } = await fresh(t)
  for (const seq of [3, 36, 37, 1_000_000]) await put(seq)
  const seqs = async (after: number, limit: number) =>
    (await mailbox.scan(after, limit)).map(({ seq }) => seq)
  t.same(await seqs(0, 10), [3, 36, 37, 1_000_000])
  t.same(await seqs(3, 2), [36, 37])
  t.same(await seqs(1_000_000, 10), [])
})

t.test('bob never sees what is bobby’s', async (t) => {
  const { store, mailbox, put } = await fresh(t)
  await put(1)
  const bobby = new Mailbox({ store }, { box: 'inbox', user: userId('bobby') })
  const receipts = new Mailbox({ store }, { box: 'receipts', user: bob })
  for (const other of [bobby, receipts]) {
    t.same(await other.scan(0, 10), [])
    t.equal(other.has(1), false)
  }
  t.equal(mailbox.has(1), true)
})

t.test('all items come, over several pages, those of no commit yet too', async (t) => {
  const { store, mailbox, put } = await fresh(t)
  const count = 2 * LIMITS.drainReadMax
  for (let seq = 1; seq <= count; seq += 1) {
    const { key, value } = mailbox.write(seq, itemOf())
    store.insert(key, value)
  }
  await put(count + 1)
  const { key, value } = mailbox.write(count + 2, itemOf())
  store.insert(key, value)
  mailbox.add(mailOf(count + 2))
  const seen = new Set<number>()
  for await (const { seq } of mailbox.items()) seen.add(seq)
  t.equal(seen.size, count + 2)
})

t.test('devices that have one item at the same time share it', async (t) => {
  const { mailbox, put } = await fresh(t)
  await put(1)
  const one = mailbox.lease(1)
  const other = mailbox.lease(1)
  t.equal(one, other)
  t.equal(mailbox.current(1, itemOf()), one)
  one?.received.push(7)
  mailbox.release(1)
  t.equal(mailbox.lease(1), one)
  mailbox.release(1)
  mailbox.release(1)
  mailbox.release(1)
  t.not(mailbox.lease(1), one, 'what was not written is read anew')
})

t.test('a lease shows the item as it is now', async (t) => {
  const { mailbox, put } = await fresh(t)
  await put(1)
  mailbox.update(1, itemOf({ received: [4] }))
  t.same(mailbox.lease(1)?.received, [4])
  t.equal(mailbox.lease(2), undefined)
})

t.test('a damaged item cannot be leased, and is there all the same', async (t) => {
  const { disk, mailbox, put } = await fresh(t)
  await put(1)
  disk.damaged.add('box/inbox/bob/00000000001')
  t.equal(mailbox.lease(1), undefined)
  t.equal(mailbox.has(1), true)
  t.same(await mailbox.scan(0, 10), [])
})

t.test('a second sending to a device is known as one', async (t) => {
  const { mailbox } = await fresh(t)
  t.same([mailbox.markSent(1, 5), mailbox.markSent(1, 5)], [false, true])
  t.same([mailbox.markSent(2, 5), mailbox.markSent(1, 6)], [false, false])
})

t.test('of what an earlier run had, nobody knows what was sent [MQTT-3.3.1-1]', async (t) => {
  const { store } = await fresh(t)
  const again = new Mailbox({ store }, { box: 'inbox', user: userId('bob') })
  again.restore(7, itemOf())
  t.same(
    [6, 7, 8, 8].map((seq) => again.markSent(1, seq)),
    [true, true, false, true],
  )
})

t.test('cursors are kept for each device by its name', async (t) => {
  const { store, mailbox } = await fresh(t)
  t.equal(mailbox.cursor('phone'), 0)
  mailbox.setCursor('phone', 77)
  mailbox.setCursor('a/b', 5)
  mailbox.setCursor('phone', 78)
  await store.committed()
  t.same([mailbox.cursor('phone'), mailbox.cursor('a/b'), mailbox.cursor('a')], [78, 5, 0])
})
