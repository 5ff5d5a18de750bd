import t from 'tap'
import { deviceId, userId } from '../../src/message/names.ts'
import { Person } from '../../src/roster/person.ts'
import { UserDevices } from '../../src/roster/user-devices.ts'

t.test('a person always shows the present', async (t) => {
  const devices = new UserDevices({ user: userId('bob') })
  const record = {
    isAdmin: false,
    createdAtMs: 7,
    credential: 'a secret',
    presence: 'everyone',
  } as const
  const bob = new Person({ record, devices })
  t.equal(bob.id, 'bob')
  t.equal(bob.createdAtMs, 7)
  t.equal(bob.lastSeen, undefined)
  t.notOk(bob.isAdmin)
  t.notOk(bob.isOnline)
  const at = { atMs: 9, clock: 'ntp' } as const
  const { device } = devices.add(deviceId('phone'), { at, ageMs: 1, savedMs: 0 })
  devices.connect(device)
  bob.record = { ...record, isAdmin: true, presence: 'nobody' }
  t.ok(bob.isAdmin)
  t.ok(bob.isOnline)
  t.equal(bob.presence, 'nobody')
  t.equal(bob.lastSeen, at)
  t.same([...bob.devices.keys()], ['phone'])
})
