import t from 'tap'
import { isDeliveryId, otherPacketIdOf, packetIdOf } from '../../src/delivery/packet-id.ts'
import { LIMITS } from '../../src/limits.ts'

const ID_MAX = 0xffff
const OTHER_ID_MAX = 0x7fff

t.test('every number has an identifier in the upper half', async (t) => {
  for (const seq of [0, 1, 0x7fff, 0x8000, 0xffff, 10 ** 9, Number.MAX_SAFE_INTEGER]) {
    const id = packetIdOf(seq)
    t.ok(id > OTHER_ID_MAX && id <= ID_MAX, `${seq} is ${id}`)
    t.ok(isDeliveryId(id))
  }
})

t.test('the halves do not meet', async (t) => {
  t.equal(isDeliveryId(OTHER_ID_MAX), false)
  t.equal(isDeliveryId(OTHER_ID_MAX + 1), true)
  t.equal(isDeliveryId(1), false)
  t.equal(isDeliveryId(ID_MAX), true)
})

t.test('entries that follow each other in a window never share one', async (t) => {
  const seqs = Array.from({ length: LIMITS.inFlightPerDeviceMax }, (_, at) => 0x7fe0 + at)
  t.equal(new Set(seqs.map(packetIdOf)).size, seqs.length)
})

t.test('deliveries of ordinary topics have the lower half, without 0', async (t) => {
  for (const number of [0, 1, 0x7ffe, 0x7fff, 0x8000, 10 ** 9, Number.MAX_SAFE_INTEGER]) {
    const id = otherPacketIdOf(number)
    t.ok(id >= 1 && id <= OTHER_ID_MAX, `${number} is ${id}`)
  }
  t.equal(otherPacketIdOf(7), otherPacketIdOf(7 + OTHER_ID_MAX))
  t.not(otherPacketIdOf(7), otherPacketIdOf(6 + OTHER_ID_MAX))
})
