import t from 'tap'
import { deviceId } from '../../src/message/names.ts'
import { bob } from '../control/rig.ts'
import { rig } from './rig.ts'

t.test('devices are listed, revoked and allowed again', async (t) => {
  const { type, told, json, roster } = rig()
  await roster.addUser(bob, { isAdmin: false })
  await type('device list bob')
  t.equal(told.out, 'no devices yet\n')
  roster.connected(bob, deviceId('my phone'))
  t.equal(await type(['device', 'revoke', 'bob', 'my phone', '--json']), 0)
  t.same(json(), { user: 'bob', device: 'my phone' })
  await type('device list bob')
  t.match(told.out, /^DEVICE .*\nmy phone +revoked/)
  await type(['device', 'allow', 'bob', 'my phone'])
  t.equal(told.out, 'device my phone of bob allowed\n')
  await type('device list bob --json')
  t.match(json(), [{ id: 'my phone', revoked: false }])
  t.equal(await type('device revoke bob pad'), 1)
})

t.test('the name of a device cannot change what a screen shows', async (t) => {
  const { type, told, roster } = rig()
  await roster.addUser(bob, { isAdmin: false })
  const name = 'x\u202Ey'
  roster.connected(bob, deviceId(name))
  await type(['device', 'revoke', 'bob', name])
  t.equal(told.out, 'device x\\u202ey of bob revoked\n')
  await type('device list bob')
  t.match(told.out, /x\\u202ey/)
})
