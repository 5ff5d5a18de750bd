import t from 'tap'
import { deviceId } from '../../src/message/names.ts'
import { type Device, deviceToForget, isHolding } from '../../src/roster/device.ts'

const device = (id: string, seenAgeMs: number, change: Partial<Device> = {}): Device => ({
  id: deviceId(id),
  number: 1,
  firstSeenMs: 0,
  lastSeen: { atMs: 0, clock: 'none' },
  seenAgeMs,
  holds: { inbox: false, receipts: false },
  isRevoked: false,
  connections: 0,
  ...change,
})

t.test('a device holds mail when either box is kept for it', async (t) => {
  t.notOk(isHolding(device('a', 0)))
  t.ok(isHolding(device('a', 0, { holds: { inbox: true, receipts: false } })))
  t.ok(isHolding(device('a', 0, { holds: { inbox: false, receipts: true } })))
})

t.test('the longest unseen device is forgotten that nothing depends on', async (t) => {
  const devices = [
    device('holds', 1, { holds: { inbox: false, receipts: true } }),
    device('here', 2, { connections: 1 }),
    device('revoked', 3, { isRevoked: true }),
    device('newer', 5),
    device('older', 4),
  ]
  t.equal(deviceToForget(devices)?.id, 'older')
  t.equal(deviceToForget(devices.slice(0, 3)), undefined)
  t.equal(deviceToForget([]), undefined)
})
