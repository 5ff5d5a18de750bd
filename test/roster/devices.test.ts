import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { deviceId, userId } from '../../src/message/names.ts'
import { Devices } from '../../src/roster/devices.ts'
import { KeptState, ManualClock } from './parts.ts'

const bob = userId('bob')
const phone = deviceId('phone')
const laptop = deviceId('laptop')
const failsWith = (code: ErrorCode) => ({ code })

function make() {
  const clock = new ManualClock()
  const state = new KeptState(clock)
  const presences: string[] = []
  const open = () => {
    const devices = new Devices({ state, clock, onPresence: (user) => presences.push(user) })
    devices.open(bob)
    devices.start()
    return devices
  }
  const restart = () => {
    const devices = open()
    for (const [, key, value] of state.stored()) t.ok(devices.restore(key, value))
    return devices
  }
  /** What was written since the last time. */
  const written = () => state.writes.splice(0)
  return { clock, state, presences, written, restart, devices: open() }
}

/** A device as somebody outside sees it after a restart. */
const view = (devices: Devices) => [...devices.open(bob).byId.values()]

t.test('a device is registered at its first connection', async (t) => {
  const { clock, devices, written } = make()
  const device = devices.connected(bob, phone)
  t.match(device, {
    id: 'phone',
    number: 1,
    firstSeenMs: clock.wallMs(),
    lastSeen: { atMs: clock.wallMs(), clock: 'ntp' },
    seenAgeMs: 0,
    holds: { inbox: false, receipts: false },
    isRevoked: false,
    connections: 1,
  })
  t.same(written(), ['device bob/0'])
  t.equal(devices.connected(bob, phone), device)
  t.same(written(), [], 'the next connection writes nothing')
  t.equal(devices.connected(bob, laptop).number, 2)
})

t.test('names of Object.prototype are ordinary device ids', async (t) => {
  const { devices, restart } = make()
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '#', 'a/b', 'é']
  for (const name of names) {
    devices.connected(bob, deviceId(name))
    devices.hold(bob, deviceId(name), 'inbox')
  }
  t.same(
    restart()
      .holders(bob, 'inbox')
      .map((device) => device.id)
      .sort(),
    [...names].sort(),
  )
})

t.test('everything about a device outlives a restart', async (t) => {
  const { clock, devices, restart } = make()
  devices.connected(bob, phone)
  devices.hold(bob, phone, 'inbox')
  devices.hold(bob, phone, 'receipts')
  devices.release(bob, phone, ['receipts'])
  devices.connected(bob, laptop)
  devices.revoke(bob, laptop)
  clock.advance(LIMITS.lastSeenSavedMsMin)
  devices.disconnected(bob, phone)
  devices.disconnected(bob, laptop)
  const before = view(devices).map(({ savedMs: _, ...device }) => device)
  const after = view(restart()).map(({ savedMs: _, ...device }) => device)
  t.same(
    after.sort((a, b) => a.number - b.number),
    before,
  )
})

t.test('numbers go on after a restart', async (t) => {
  const { devices, restart } = make()
  devices.connected(bob, phone)
  devices.connected(bob, laptop)
  t.equal(restart().connected(bob, deviceId('tablet')).number, 3)
})

t.test('devices are for users that are there', async (t) => {
  const { devices } = make()
  t.throws(() => devices.connected(userId('eve'), phone), failsWith('NOT_FOUND'))
  devices.connected(bob, phone)
  devices.close(bob)
  t.throws(() => devices.connected(bob, phone), failsWith('NOT_FOUND'))
  devices.disconnected(bob, phone)
  devices.disconnected(userId('eve'), phone)
  t.same(devices.holders(bob, 'inbox'), [])
  t.throws(() => devices.hold(bob, phone, 'inbox'), failsWith('NOT_FOUND'))
  t.throws(() => devices.release(bob, phone, ['inbox']), failsWith('NOT_FOUND'))
  t.throws(() => devices.revoke(bob, phone), failsWith('NOT_FOUND'))
  t.throws(() => devices.allow(bob, phone), failsWith('NOT_FOUND'))
})

t.test('closing a user removes every trace of its devices', async (t) => {
  const { clock, state, devices } = make()
  devices.connected(bob, phone)
  devices.connected(bob, laptop)
  devices.close(bob)
  t.equal(state.records.size, 0)
  clock.advance(LIMITS.lastSeenSavedMsMax)
  devices.stop()
  t.equal(state.records.size, 0)
})

t.test('a revoked device is refused and holds nothing until it is allowed again', async (t) => {
  const { devices, written } = make()
  devices.connected(bob, phone)
  devices.hold(bob, phone, 'inbox')
  written()
  devices.revoke(bob, phone)
  devices.revoke(bob, phone)
  t.same(written(), ['device bob/0'])
  t.same(devices.holders(bob, 'inbox'), [])
  t.throws(() => devices.hold(bob, phone, 'inbox'), failsWith('DEVICE_REVOKED'))
  devices.disconnected(bob, phone)
  t.throws(() => devices.connected(bob, phone), failsWith('DEVICE_REVOKED'))
  devices.allow(bob, phone)
  devices.allow(bob, phone)
  t.equal(devices.connected(bob, phone).number, 1)
  t.ok(devices.hold(bob, phone, 'inbox'))
})

t.test('holding says whether it is new, and writes only then', async (t) => {
  const { devices, written } = make()
  devices.connected(bob, phone)
  written()
  t.ok(devices.hold(bob, phone, 'inbox'))
  t.notOk(devices.hold(bob, phone, 'inbox'))
  t.equal(written().length, 1)
  devices.release(bob, phone, ['receipts'])
  t.same(written(), [])
  devices.release(bob, phone, ['inbox', 'receipts'])
  t.equal(written().length, 1)
})

t.test('presence is told when the first device comes and the last one goes', async (t) => {
  const { devices, presences } = make()
  devices.connected(bob, phone)
  t.same(presences.splice(0), ['bob'])
  devices.connected(bob, laptop)
  devices.connected(bob, phone)
  devices.disconnected(bob, phone)
  devices.disconnected(bob, laptop)
  t.same(presences, [])
  devices.disconnected(bob, phone)
  t.same(presences.splice(0), ['bob'])
  devices.disconnected(bob, phone)
  t.same(presences, [], 'an end without a beginning changes nothing')
})

t.test('a device that comes and goes is written about once a minute', async (t) => {
  const { clock, state, devices, written } = make()
  devices.connected(bob, phone)
  written()
  for (let seconds = 0; seconds < 600; seconds += 1) {
    devices.disconnected(bob, phone)
    devices.connected(bob, phone)
    clock.advance(1_000)
  }
  devices.disconnected(bob, phone)
  const writes = written().length
  t.ok(writes >= 9 && writes <= 12, `${writes} writes`)
  clock.advance(LIMITS.lastSeenSavedMsMin)
  t.match(state.records.get('device bob/0'), { seenAgeMs: 600_000 }, 'and the last time is kept')
  written()
  clock.advance(LIMITS.lastSeenSavedMsMax)
  t.same(written(), [], 'a device that stays away is not written')
})

t.test('a disconnection after a while is written at once', async (t) => {
  const { clock, devices, written } = make()
  devices.connected(bob, phone)
  written()
  clock.nowMs += LIMITS.lastSeenSavedMsMin
  devices.disconnected(bob, phone)
  t.same(written(), ['device bob/0'])
})

t.test(
  'a device that stays is written once an hour, so that a crash does not make it idle',
  async (t) => {
    const { clock, state, devices, written } = make()
    devices.connected(bob, phone)
    devices.hold(bob, phone, 'inbox')
    written()
    const minutes = (5 * LIMITS.lastSeenSavedMsMax) / LIMITS.lastSeenSavedMsMin
    for (let minute = 0; minute < minutes; minute += 1) clock.advance(LIMITS.lastSeenSavedMsMin)
    t.equal(written().length, 5)
    t.match(state.records.get('device bob/0'), { seenAgeMs: clock.nowMs })
  },
)

t.test('stopping writes who was here, twice does nothing more, and leaves no timer', async (t) => {
  const { clock, state, devices, written } = make()
  devices.connected(bob, phone)
  devices.connected(bob, laptop)
  devices.disconnected(bob, laptop)
  clock.nowMs += 30_000
  written()
  devices.start()
  t.equal(clock.timers, 1)
  devices.stop()
  t.same(written().sort(), ['device bob/0', 'device bob/1'])
  t.match(state.records.get('device bob/0'), { seenAgeMs: 30_000 })
  t.match(state.records.get('device bob/1'), { seenAgeMs: 0 })
  t.equal(clock.timers, 0)
})

t.test('a device that was forgotten is not written over the one in its slot', async (t) => {
  const { clock, state, devices } = make()
  const max = LIMITS.devicesPerUserMax
  for (let at = 0; at < max; at += 1) {
    devices.connected(bob, deviceId(`device${at}`))
    devices.disconnected(bob, deviceId(`device${at}`))
    clock.nowMs += 1
  }
  devices.connected(bob, phone)
  clock.nowMs += LIMITS.lastSeenSavedMsMin
  devices.disconnected(bob, phone)
  devices.stop()
  t.equal(state.records.size, max)
  t.match(state.records.get('device bob/0'), { id: 'phone', number: max + 1 })
})

t.test('10,000 invented device ids leave no more records than there are slots', async (t) => {
  const { clock, state, devices } = make()
  for (let at = 0; at < 10_000; at += 1) {
    const id = deviceId(`d${at}`)
    devices.connected(bob, id)
    devices.disconnected(bob, id)
    clock.nowMs += 1
    state.writes.length = 0
  }
  t.equal(state.records.size, LIMITS.devicesPerUserMax)
  t.equal(devices.open(bob).byId.size, LIMITS.devicesPerUserMax)
})

t.test('idle devices are those that hold mail and were not seen for so long', async (t) => {
  const { clock, devices } = make()
  const idle = (deadlineAgeMs: number) =>
    [...devices.idleSince(deadlineAgeMs)].map(({ user, device }) => `${user} ${device.id}`)
  for (const id of [phone, laptop]) {
    devices.connected(bob, id)
    devices.hold(bob, id, 'inbox')
  }
  devices.connected(bob, deviceId('holds nothing'))
  devices.disconnected(bob, deviceId('holds nothing'))
  devices.disconnected(bob, phone)
  clock.wallOffsetMs += 10 * 365 * 86_400_000
  t.same(idle(0), [], 'a jump of the wall clock makes nothing idle')
  clock.nowMs += LIMITS.deviceIdleMsMax
  t.same(idle(clock.nowMs - LIMITS.deviceIdleMsMax), [])
  clock.nowMs += 1
  t.same(idle(clock.nowMs - LIMITS.deviceIdleMsMax), ['bob phone'])
  devices.release(bob, phone, ['inbox', 'receipts'])
  t.same(idle(clock.nowMs), [])
})

t.test('a malformed record is refused', async (t) => {
  const { state, devices } = make()
  devices.connected(bob, phone)
  const record = state.records.get('device bob/0')
  t.ok(devices.restore('bob/0', record))
  t.notOk(devices.restore('bob', record))
  t.notOk(devices.restore('bob/0', null))
  t.notOk(devices.restore('bob/0', { ...(record as object), number: 0 }))
})

t.test('users that have only devices are strays', async (t) => {
  const { devices, state } = make()
  devices.connected(bob, phone)
  devices.restore('eve/0', state.records.get('device bob/0'))
  t.same(devices.strays(), ['eve'])
})
