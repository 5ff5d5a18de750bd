import t from 'tap'
import { Guests } from '../../src/broker/guests.ts'
import { deviceId, userId } from '../../src/message/names.ts'
import type { Device } from '../../src/roster/device.ts'
import type { User } from '../../src/roster/person.ts'
import { KeptLog } from '../support/kept-log.ts'

const bob = userId('bob')

function guests(devices: Record<string, boolean>, sessions: readonly string[] = []) {
  const released: string[] = []
  const settled: string[] = []
  const user = {
    id: bob,
    devices: new Map(
      Object.entries(devices).map(([id, inbox]) => [
        deviceId(id),
        { id: deviceId(id), holds: { inbox, receipts: false } } as Device,
      ]),
    ),
  } as unknown as User
  const made = new Guests({
    roster: {
      users: () => [user],
      user: (id) => (id === bob ? user : undefined),
      release: (_user, device, boxes) => released.push(`${device} ${boxes}`),
    },
    post: {
      devicesLeft: async (id) => {
        settled.push(id)
      },
    },
    topics: { has: (id) => sessions.includes(id) },
    log: new KeptLog(),
  })
  return { guests: made, released, settled }
}

t.test('nothing is kept for a guest that has gone', async (t) => {
  const { guests: made, released, settled } = guests({ aedes_1: true })
  made.left(bob, deviceId('aedes_1'))
  t.same(released, ['aedes_1 inbox,receipts'])
  t.same(settled, [bob])
})

t.test('one whose user was removed meanwhile is no matter', async (t) => {
  const { guests: made, released } = guests({})
  made.left(bob, deviceId('aedes_1'))
  made.left(userId('nobody'), deviceId('aedes_1'))
  t.same(released, [])
})

t.test(
  'those of a run that was killed are forgotten, but for sessions that are kept',
  async (t) => {
    const devices = { aedes_1: true, aedes_2: false, aedes_3: true, phone: true }
    const { guests: made, released } = guests(devices, ['bob/aedes_3'])
    made.forget()
    t.same(released, ['aedes_1 inbox,receipts'])
  },
)

t.test('a box that no filter reaches any more is not kept for the device', async (t) => {
  const phone = deviceId('phone')
  const { guests: made, released, settled } = guests({ phone: true })
  const gone = ['users/bob/inbox/#']
  made.unsubscribed(bob, phone, { gone, left: [{ filter: 'users/bob/#', qos: 1 }] })
  made.unsubscribed(bob, phone, { gone: ['things/#'], left: [] })
  t.same(released, [], 'it is still reached, or never was')
  made.unsubscribed(bob, phone, { gone, left: [{ filter: 'users/bob/#', qos: 0 }] })
  t.same(released, ['phone inbox'], 'copies alone keep nothing')
  t.same(settled, [bob])
})
