import t from 'tap'
import { type DeliveryOutlet, OrdinaryDeliveries } from '../../src/broker/ordinary-deliveries.ts'
import { LIMITS } from '../../src/limits.ts'
import { KeptLog } from '../support/kept-log.ts'
import { packetOf } from './frame.ts'

/** What a connection would write, and what aedes would be told. */
class Outlet implements DeliveryOutlet {
  mailInFlight = 0
  isCongested = false
  isTooSlow = false
  readonly written: Buffer[] = []
  readonly given: Buffer[] = []

  write(packet: Buffer): void {
    this.written.push(packet)
  }

  giveAedes(packet: Buffer): void {
    this.given.push(packet)
  }

  tooSlow(): void {
    this.isTooSlow = true
  }

  /** Packet identifiers, in the order written. */
  get ids(): number[] {
    return this.written.map((packet) => packet.readUInt16BE(5))
  }
}

function scene({ receiveMaximum = 2, packetBytesMax = 1_000 } = {}) {
  const outlet = new Outlet()
  const limits = { clientId: 'phone', version: 5 as const, receiveMaximum, packetBytesMax }
  const deliveries = new OrdinaryDeliveries({ outlet, log: new KeptLog() }, limits)
  return { outlet, deliveries }
}

const publish = (id: number, qos: 1 | 2 = 1) => packetOf(0x30 | (qos << 1), 'a', 0, id, 0)

t.test('so many go out as the client takes; an acknowledgement lets the next one go', async (t) => {
  const { outlet, deliveries } = scene()
  for (const id of [1, 2, 3, 4]) deliveries.publish(publish(id, id % 2 === 0 ? 2 : 1))
  t.same(outlet.ids, [1, 2])
  t.ok(deliveries.isWaiting)
  deliveries.acknowledged(9)
  t.same(outlet.ids, [1, 2], 'an unknown one frees no place')
  deliveries.acknowledged(2)
  t.same(outlet.ids, [1, 2, 3])
  deliveries.acknowledged(1)
  t.same(outlet.ids, [1, 2, 3, 4])
  t.notOk(deliveries.isWaiting)
  t.equal(deliveries.inFlight, 2)
})

t.test('an identifier that has come round waits until it is free', async (t) => {
  const { outlet, deliveries } = scene({ receiveMaximum: 9 })
  for (const id of [1, 2, 1, 3]) deliveries.publish(publish(id))
  t.same(outlet.ids, [1, 2])
  t.ok(deliveries.isInFlight(1))
  t.notOk(deliveries.isInFlight(3))
  deliveries.acknowledged(1)
  t.same(outlet.ids, [1, 2, 1, 3])
})

t.test('mail shares the window', async (t) => {
  const { outlet, deliveries } = scene()
  outlet.mailInFlight = 2
  deliveries.publish(publish(1))
  t.same(outlet.ids, [])
  outlet.mailInFlight = 1
  deliveries.pump()
  t.same(outlet.ids, [1])
})

t.test('QoS 0 needs no place, and is left out for a reader that is behind', async (t) => {
  const { outlet, deliveries } = scene({ receiveMaximum: 1 })
  deliveries.publish(publish(1))
  const zero = packetOf(0x30, 'a', 0)
  deliveries.publish(zero)
  outlet.isCongested = true
  deliveries.publish(zero)
  t.same(outlet.written.length, 2)
})

t.test('what is too long is left out, and done with for aedes', async (t) => {
  const { outlet, deliveries } = scene({ packetBytesMax: 8 })
  deliveries.publish(publish(1))
  t.same(outlet.ids, [1], 'at the bound')
  for (const first of [0x30, 0x32, 0x34]) deliveries.publish(packetOf(first, 'a', 0, 7, 0, 1))
  t.same(outlet.ids, [1], 'one past it')
  t.same(outlet.given, [Buffer.from([0x40, 3, 0, 7, 0x97]), Buffer.from([0x50, 3, 0, 7, 0x97])])
  t.equal(deliveries.inFlight, 1)
})

t.test('a client that leaves more waiting than it may is too slow', async (t) => {
  const { outlet, deliveries } = scene({ receiveMaximum: 1, packetBytesMax: Infinity })
  deliveries.publish(publish(1))
  const large = packetOf(0x32, 'a', 0, 2, Buffer.alloc(60_000))
  for (
    let bytes = large.bytes.length;
    bytes <= LIMITS.outboxBytesMax;
    bytes += large.bytes.length
  ) {
    deliveries.publish(large)
  }
  t.notOk(outlet.isTooSlow)
  deliveries.publish(large)
  t.ok(outlet.isTooSlow)
})
