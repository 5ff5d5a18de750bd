import t from 'tap'
import { check, noCounts, violations } from './checks.ts'
import { Ledger } from './ledger.ts'

const DEVICES = new Map([['eve', ['eve.phone', 'eve.laptop']]])
const ALL = ['eve.phone', 'eve.laptop']

/** A ledger in which ada has sent `count` messages to eve, all acknowledged. */
function sent(count: number): Ledger {
  const ledger = new Ledger()
  ledger.open(['ada'], ALL)
  for (let seq = 0; seq < count; seq++) {
    ledger.send('ada', 'eve')
    ledger.acknowledge('ada', seq, 0)
  }
  return ledger
}

function arrive(ledger: Ledger, devices: readonly string[], seq: number, connection = 1): void {
  for (const device of devices) {
    ledger.arrive(device, { from: 'ada', seq, connection, isIntact: true, isOnce: false })
  }
}

function told(ledger: Ledger, seq: number, text = 'a', connection = 1): void {
  const receipt = { to: 'eve', seq, status: 'delivered', isAggregate: true, connection, text }
  ledger.receipt('ada', receipt)
}

const judge = (ledger: Ledger) => check(ledger, DEVICES, { hasReceipts: true }).counts
const clean = (count: number) => ({
  ...noCounts(),
  sent: count,
  acknowledged: count,
  arrivals: 2 * count,
})

t.test('a drill in which everything arrived in order is clean', async (t) => {
  const ledger = sent(2)
  for (const seq of [0, 1]) {
    arrive(ledger, ALL, seq)
    told(ledger, seq)
  }
  t.same(judge(ledger), clean(2))
  t.equal(violations(judge(ledger)), 0)
})

t.test(
  'an acknowledged message that one device lacks is lost, and its receipt is early',
  async (t) => {
    const ledger = sent(1)
    arrive(ledger, ['eve.phone'], 0)
    told(ledger, 0)
    t.match(judge(ledger), { lost: 1, receiptsEarly: 1 })
  },
)

t.test('a message without acknowledgement may be missing', async (t) => {
  const ledger = sent(0)
  ledger.send('ada', 'eve')
  t.match(judge(ledger), { sent: 1, acknowledged: 0, lost: 0, receiptsMissing: 0 })
})

t.test('a refused message is told, not lost', async (t) => {
  const ledger = sent(0)
  ledger.send('ada', 'eve')
  ledger.acknowledge('ada', 0, 0x97)
  t.match(judge(ledger), { refused: 1, lost: 0, receiptsMissing: 0 })
})

t.test('a first arrival behind a later message is out of order, a redelivery is not', async (t) => {
  const ledger = sent(3)
  for (const seq of [0, 2, 1]) arrive(ledger, ['eve.phone'], seq)
  for (const seq of [0, 1, 2]) arrive(ledger, ['eve.laptop'], seq)
  arrive(ledger, ['eve.laptop'], 1, 2)
  t.match(judge(ledger), { outOfOrder: 1, redelivered: 1, doubled: 0 })
})

t.test('the same message twice in one connection is doubled', async (t) => {
  const ledger = sent(1)
  arrive(ledger, ALL, 0)
  arrive(ledger, ['eve.phone'], 0)
  t.match(judge(ledger), { doubled: 1, redelivered: 0 })
})

t.test(
  'a message of QoS 2 is doubled even when it comes again in a later connection',
  async (t) => {
    const ledger = sent(1)
    for (const connection of [1, 2]) {
      ledger.arrive('eve.phone', { from: 'ada', seq: 0, connection, isIntact: true, isOnce: true })
    }
    t.match(judge(ledger), { doubled: 1, redelivered: 0 })
  },
)

t.test('a receipt may come again in a later connection, with the same words only', async (t) => {
  const ledger = sent(1)
  arrive(ledger, ALL, 0)
  told(ledger, 0, 'a', 1)
  told(ledger, 0, 'a', 2)
  t.match(judge(ledger), { receiptsTwice: 0 })
  told(ledger, 0, 'a', 2)
  t.match(judge(ledger), { receiptsTwice: 1 })
  told(ledger, 0, 'b', 3)
  t.match(judge(ledger), { receiptsTwice: 2 })
})

t.test('a receipt before the last device has the message is early', async (t) => {
  const ledger = sent(1)
  arrive(ledger, ['eve.phone'], 0)
  told(ledger, 0)
  arrive(ledger, ['eve.laptop'], 0)
  t.match(judge(ledger), { receiptsEarly: 1, lost: 0 })
})

t.test('a missing, a refusing, and a damaged one are each counted', async (t) => {
  const ledger = sent(1)
  arrive(ledger, ['eve.phone'], 0)
  ledger.arrive('eve.laptop', {
    from: 'ada',
    seq: 0,
    connection: 1,
    isIntact: false,
    isOnce: false,
  })
  ledger.receipt('ada', {
    to: 'eve',
    seq: 0,
    status: 'refused',
    isAggregate: true,
    connection: 1,
    text: '',
  })
  t.match(judge(ledger), { damaged: 1, receiptsBad: 1, receiptsMissing: 1 })
})

t.test('waiting on the ledger ends with the event, or when nothing happens', async (t) => {
  const ledger = sent(1)
  const waiting = ledger.until(() => ledger.seenBy('eve.phone') === 1, 5_000)
  arrive(ledger, ['eve.phone'], 0)
  t.equal(await waiting, true)
  t.equal(await ledger.until(() => false, 1), false)
})
