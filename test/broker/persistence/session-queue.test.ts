import t from 'tap'
import { SessionQueue } from '../../../src/broker/persistence/session-queue.ts'

function queueOf(...numbers: number[]): SessionQueue {
  const queue = new SessionQueue()
  for (const number of numbers) queue.push(number, 1)
  return queue
}

t.test('numbers leave from anywhere and the rest stays in order', async (t) => {
  const queue = queueOf(2, 5, 7, 11, 100)
  queue.remove(7)
  queue.remove(2)
  queue.remove(8)
  t.same(queue.numbers(), [5, 11, 100])
  t.equal(queue.oldest, 5)
  t.equal(queue.size, 3)
  t.equal(queue.has(11), true)
  t.equal(queue.has(7), false)
  t.equal(queue.has(101), false)
})

t.test('an empty queue has no oldest', async (t) => {
  t.equal(queueOf().oldest, undefined)
  t.equal(queueOf().has(1), false)
})

t.test('of two messages under one packet id the first sent is acknowledged first', async (t) => {
  const queue = queueOf(1, 2, 3)
  queue.sent(2, 42)
  queue.sent(1, 42)
  t.equal(queue.numberOf(42), 2)
  queue.remove(2)
  t.equal(queue.numberOf(42), 1)
  queue.remove(1)
  t.equal(queue.numberOf(42), undefined)
  t.equal(queue.packetIdOf(3), undefined)
})

t.test('a message stays while one of its subscriptions may bring it', async (t) => {
  const queue = new SessionQueue()
  queue.push(1, 3)
  t.equal(queue.loseWay(1), true)
  t.equal(queue.loseWay(1), true)
  t.equal(queue.loseWay(1), false)
})

t.test('a message that is handed over whole has one way left', async (t) => {
  const queue = new SessionQueue()
  queue.push(1, 3)
  queue.handedOver(1)
  t.equal(queue.loseWay(1), false)
})

t.test('what went out on an earlier connection is known until it is gone', async (t) => {
  const queue = queueOf(1, 2)
  queue.sent(1, 41)
  t.notOk(queue.wasSentBefore(1), 'for the first time')
  queue.sentAgain(1, 41)
  t.ok(queue.wasSentBefore(1))
  t.notOk(queue.wasSentBefore(2))
  queue.remove(1)
  t.notOk(queue.wasSentBefore(1))
})
