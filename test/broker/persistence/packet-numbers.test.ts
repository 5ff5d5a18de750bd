import t from 'tap'
import { PacketNumbers, QUEUE } from '../../../src/broker/persistence/packet-numbers.ts'

const broker = { id: 'relay', counter: 10 }

t.test('packets of this broker are numbered in the order in which they leave', async (t) => {
  const numbers = new PacketNumbers()
  const late = { brokerId: 'relay', brokerCounter: 3 }
  const early = { brokerId: 'relay', brokerCounter: 2 }
  t.equal(numbers.queue(late, broker), 1)
  t.equal(numbers.queue(early, broker), 2)
  t.same(late, { brokerId: QUEUE, brokerCounter: 1 })
  t.same(early, { brokerId: QUEUE, brokerCounter: 2 })
})

t.test('a packet that is queued a second time gets a new number', async (t) => {
  const numbers = new PacketNumbers()
  const packet = { brokerId: 'relay', brokerCounter: 3 }
  numbers.direct(packet, broker)
  numbers.queue(packet, broker)
  t.equal(numbers.queue(packet, broker), 2)
  t.same(packet, { brokerId: QUEUE, brokerCounter: 2 })
})

t.test('what is not delayed does not share numbers with what is', async (t) => {
  const numbers = new PacketNumbers()
  const packet = { brokerId: 'relay', brokerCounter: 3 }
  numbers.direct(packet, broker)
  t.not(packet.brokerId, QUEUE)
  t.not(packet.brokerId, broker.id)
})

t.test('a packet that another broker has numbered keeps its name', async (t) => {
  const numbers = new PacketNumbers()
  for (const packet of [
    { brokerId: 'other', brokerCounter: 3 },
    { brokerId: 'relay', brokerCounter: 11 },
    {},
  ]) {
    const before = { ...packet }
    numbers.direct(packet, broker)
    numbers.queue(packet, broker)
    t.same(packet, before)
  }
})

t.test('numbers go on above those that are stored', async (t) => {
  const numbers = new PacketNumbers()
  numbers.restore(41)
  numbers.restore(7)
  t.equal(numbers.queue({}, broker), 42)
})
