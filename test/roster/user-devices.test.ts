import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { deviceId, userId } from '../../src/message/names.ts'
import { UserDevices } from '../../src/roster/user-devices.ts'

const FULL: { code: ErrorCode } = { code: 'DEVICES_FULL' }
const MAX = LIMITS.devicesPerUserMax

function make() {
  const own = new UserDevices({ user: userId('bob') })
  let ageMs = 0
  const add = (id: string) => {
    ageMs += 1
    const at = { atMs: ageMs, clock: 'none' } as const
    return own.add(deviceId(id), { at, ageMs, savedMs: 0 })
  }
  const fill = () => Array.from({ length: MAX }, (_, at) => add(`device${at}`).device)
  return { own, add, fill }
}

t.test('devices get numbers one after the other, also when some are forgotten', async (t) => {
  const { add } = make()
  const numbers = Array.from({ length: 3 * MAX }, (_, at) => add(`device${at}`).device.number)
  t.same(
    numbers,
    numbers.map((_, at) => at + 1),
  )
})

t.test('a new device takes the slot of the one that is forgotten for it', async (t) => {
  const { own, add, fill } = make()
  const [first] = fill()
  const { device, forgotten } = add('one more')
  t.equal(forgotten, first)
  t.equal(device.slot, first?.slot)
  t.equal(own.byId.size, MAX)
  t.equal(own.get(deviceId('device0')), undefined)
})

t.test('nothing is forgotten that holds mail, is connected or revoked', async (t) => {
  const { own, add, fill } = make()
  for (const [at, device] of fill().entries()) {
    if (at < LIMITS.devicesHoldingPerUserMax) own.hold(device, 'inbox')
    else if (at % 2 === 0) own.connect(device)
    else device.isRevoked = true
  }
  t.throws(() => add('one more'), FULL)
  t.equal(own.byId.size, MAX)
  const last = own.get(deviceId(`device${MAX - 2}`))
  t.ok(last && own.disconnect(last))
  t.equal(add('one more').forgotten, last)
})

t.test('so many devices hold mail, and one more does not', async (t) => {
  const { own, add, fill } = make()
  const [another = add('never').device, ...devices] = fill()
  const holding = devices.slice(0, LIMITS.devicesHoldingPerUserMax)
  for (const device of holding) own.hold(device, 'inbox')
  t.throws(() => own.hold(another, 'receipts'), FULL)
  for (const device of holding) own.hold(device, 'receipts')
  t.same(own.holders('receipts'), holding)
  own.release(devices[3] ?? another, ['inbox'])
  t.throws(() => own.hold(another, 'receipts'), FULL, 'it still holds the other box')
  own.release(devices[3] ?? another, ['inbox', 'receipts'])
  own.hold(another, 'inbox')
  t.equal(own.holders('inbox').length, holding.length)
})

t.test('the holders of a box are the same array until one comes or goes', async (t) => {
  const { own, add } = make()
  const { device } = add('phone')
  own.hold(device, 'inbox')
  const holders = own.holders('inbox')
  t.same(holders, [device])
  own.connect(device)
  device.seenAgeMs = 9
  t.equal(own.holders('inbox'), holders)
  t.equal(holders[0], device)
  own.release(device, ['inbox'])
  t.same(own.holders('inbox'), [])
})

t.test(
  'a user is online while any device is connected, and once more for a take-over',
  async (t) => {
    const { own, add } = make()
    const phone = add('phone').device
    const laptop = add('laptop').device
    own.connect(phone)
    own.connect(phone)
    own.connect(laptop)
    t.ok(own.disconnect(phone))
    t.equal(phone.connections, 1)
    t.ok(own.disconnect(phone))
    t.notOk(own.disconnect(phone), 'nothing goes below zero')
    t.ok(own.isOnline)
    t.ok(own.disconnect(laptop))
    t.notOk(own.isOnline)
  },
)

t.test(
  'last seen is that of the device that was seen last, whatever the wall clock said',
  async (t) => {
    const { own, add } = make()
    t.equal(own.lastSeen, undefined)
    const phone = add('phone').device
    phone.lastSeen = { atMs: Date.UTC(2036, 0, 1), clock: 'device' }
    const laptop = add('laptop').device
    t.equal(own.lastSeen, laptop.lastSeen)
  },
)

t.test('of two stored devices of one name the later one stays', async (t) => {
  const { own } = make()
  const record = {
    id: deviceId('phone'),
    number: 2,
    firstSeenMs: 0,
    lastSeen: { atMs: 0, clock: 'none' },
    seenAgeMs: 0,
    holds: { inbox: true, receipts: false },
    isRevoked: false,
  } as const
  t.ok(own.restore(record, 1))
  t.notOk(own.restore({ ...record, number: 1 }, 0))
  t.ok(own.restore({ ...record, number: 3 }, 2))
  t.same(
    [...own.byId.values()].map((device) => device.number),
    [3],
  )
  t.equal(own.holders('inbox').length, 1)
})
