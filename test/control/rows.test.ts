import t from 'tap'
import { deviceRow, thingRow, userRow } from '../../src/control/rows.ts'
import { thingId } from '../../src/message/names.ts'
import { bob, operationParts, phone } from './rig.ts'

t.test('rows are plain JSON: what is printed is what was meant', async (t) => {
  const { roster } = operationParts()
  await roster.addUser(bob, { isAdmin: false })
  roster.connected(bob, phone)
  roster.hold(bob, phone, 'inbox')
  roster.disconnected(bob, phone)
  const [user] = roster.users()
  const [device] = user?.devices.values() ?? []
  if (user === undefined || device === undefined) throw new Error('no user')
  for (const row of [
    userRow(user),
    deviceRow(device),
    thingRow({ id: thingId('door'), createdAtMs: 0 }),
  ]) {
    t.same(JSON.parse(JSON.stringify(row)), row)
  }
  t.match(deviceRow(device), { takesMail: true, connected: false })
  t.match(thingRow({ id: thingId('door'), createdAtMs: 0 }), {
    createdAt: '1970-01-01T00:00:00.000Z',
  })
})
