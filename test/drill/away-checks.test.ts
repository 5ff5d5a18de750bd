import t from 'tap'
import { DEVICE_IDS, keyOf, RECIPIENT, SENDER } from './away-cast.ts'
import { awayViolations, checkAway } from './away-checks.ts'
import { Ledger } from './ledger.ts'

/** A ledger in which one message was sent and acknowledged. */
function sent(): Ledger {
  const ledger = new Ledger()
  ledger.open([SENDER], DEVICE_IDS.map(keyOf))
  ledger.acknowledge(SENDER, ledger.send(SENDER, RECIPIENT), 0)
  return ledger
}

function told(ledger: Ledger, receipt: { status: string; device?: string }, connection = 1): void {
  const text = JSON.stringify(receipt)
  const isAggregate = receipt.device === undefined
  const { status } = receipt
  ledger.receipt(SENDER, { to: RECIPIENT, seq: 0, status, isAggregate, connection, text })
}

/** The same with all receipts. */
function complete(): Ledger {
  const ledger = sent()
  told(ledger, { status: 'stored' })
  for (const device of DEVICE_IDS) {
    arrive(ledger, device, 1)
    told(ledger, { status: 'delivered', device })
  }
  told(ledger, { status: 'delivered' })
  return ledger
}

function arrive(ledger: Ledger, device: string, connection: number): void {
  const mail = { from: SENDER, seq: 0, isIntact: true, isOnce: false }
  ledger.arrive(keyOf(device), { ...mail, connection })
}

t.test('a message with all its receipts keeps all promises', async (t) => {
  t.equal(awayViolations(checkAway(complete())), 0)
})

t.test('each kind of receipt is missed', async (t) => {
  const ledger = sent()
  t.match(checkAway(ledger), { storedMissing: 1, deviceReceiptsMissing: 2 })
  told(ledger, { status: 'delivered', device: 'phone' })
  t.match(checkAway(ledger), { storedMissing: 1, deviceReceiptsMissing: 1 })
})

t.test('a receipt may come again in a later connection, in the same words', async (t) => {
  const ledger = complete()
  told(ledger, { status: 'stored' }, 2)
  t.match(checkAway(ledger), { receiptsDoubled: 0, receiptsRedelivered: 1 })
  t.equal(awayViolations(checkAway(ledger)), 0)
  told(ledger, { status: 'stored' }, 2)
  t.match(checkAway(ledger), { receiptsDoubled: 1, receiptsRedelivered: 1 })
})

t.test('what a device was said to have must not come to it again', async (t) => {
  const ledger = sent()
  arrive(ledger, 'phone', 1)
  arrive(ledger, 'phone', 2)
  told(ledger, { status: 'delivered', device: 'phone' })
  arrive(ledger, 'laptop', 3)
  t.match(checkAway(ledger), { arrivedAfterReceipt: 0 })
  arrive(ledger, 'phone', 3)
  t.match(checkAway(ledger), { arrivedAfterReceipt: 1 })
})
