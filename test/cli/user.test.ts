import t from 'tap'
import { bob, phone } from '../control/rig.ts'
import { rig } from './rig.ts'

t.test('user add prints id and password, for an admin too', async (t) => {
  const { type, json, roster } = rig()
  t.equal(await type('user add bob --admin --json'), 0)
  t.match(json(), { id: 'bob', password: /^\S{22}$/ })
  t.equal(roster.user(bob)?.isAdmin, true)
  t.equal(await type('user add eve --json'), 0)
  t.equal(await type('user add bob'), 1, 'once')
  t.equal(await type('user add Bob'), 1, 'not a name')
})

t.test('user list and show are tables, or JSON', async (t) => {
  const { type, told, json, roster } = rig()
  await type('user list')
  t.equal(told.out, 'no users\n')
  await roster.addUser(bob, { isAdmin: false })
  await type('user show bob')
  t.match(told.out, /last seen {2}never\n[\s\S]*no devices yet\n$/)
  roster.connected(bob, phone)
  await type('user list')
  t.match(told.out, /^USER .*\nbob +user +yes +1 +2026-11-24 00:00:00Z\n$/)
  await type('user list --json')
  t.match(json(), [{ id: 'bob', devices: 1 }])
  await type('user show bob')
  t.match(told.out, /phone +connected/)
  await type('user show bob --json')
  t.match(json(), { id: 'bob', devices: [{ id: 'phone' }] })
})

t.test('user remove and passwd act on the one named', async (t) => {
  const { type, told, json, roster } = rig({ input: 'new' })
  await roster.addUser(bob, { isAdmin: false })
  await type('user passwd bob')
  t.match(told.out, /^user bob has a new password\npassword: \S{22}\n$/)
  await type('user passwd bob --password-stdin --json')
  t.same(json(), { id: 'bob', password: 'new' })
  t.equal(await type('user remove bob'), 0)
  t.equal(told.out, 'user bob removed\n')
  t.equal(await type('user remove bob'), 1)
})
