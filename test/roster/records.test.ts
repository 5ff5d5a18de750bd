import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { userId } from '../../src/message/names.ts'
import {
  deviceKey,
  deviceRecord,
  parseDeviceKey,
  thingRecord,
  userRecord,
} from '../../src/roster/records.ts'

const credential = `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
const user = { isAdmin: false, createdAtMs: 1, credential, presence: 'everyone' }
const thing = { createdAtMs: 1, credential }
const device = {
  id: 'phone',
  number: 1,
  firstSeenMs: 1,
  lastSeen: { atMs: 2, clock: 'ntp' },
  seenAgeMs: 3,
  holds: { inbox: true, receipts: false },
  isRevoked: false,
}

/** The record with one field changed. */
const but = (record: object, change: object) => ({ ...record, ...change })

t.test('a whole record is taken, also one of a later version', async (t) => {
  t.same(userRecord(user), user)
  t.same(thingRecord(thing), thing)
  t.same(deviceRecord(device), device)
  t.ok(userRecord(but(user, { nickname: 'al' })))
})

t.test('a record that lacks any field, or has one of another type, is none', async (t) => {
  const kinds = [
    [user, userRecord],
    [thing, thingRecord],
    [device, deviceRecord],
  ] as const
  for (const [record, read] of kinds) {
    for (const field of Object.keys(record)) {
      t.equal(read(but(record, { [field]: undefined })), undefined, `without ${field}`)
      t.equal(read(but(record, { [field]: [] })), undefined, `with another ${field}`)
    }
    for (const value of [null, 1, 'x', [], new Map()]) t.equal(read(value), undefined)
  }
})

t.test('absurd values are refused', async (t) => {
  t.notOk(userRecord(but(user, { credential: 'plain text' })))
  t.notOk(userRecord(but(user, { presence: 'friends' })))
  t.notOk(userRecord(but(user, { createdAtMs: 9e15 })))
  t.notOk(userRecord(but(user, { createdAtMs: Number.NaN })))
  for (const number of [0, -1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
    t.notOk(deviceRecord(but(device, { number })))
  }
  t.notOk(deviceRecord(but(device, { lastSeen: { atMs: 0, clock: 'sundial' } })))
  t.throws(() => deviceRecord(but(device, { id: '' })), { code: 'BAD_NAME' })
})

t.test('a device is kept under its user and slot', async (t) => {
  const last = LIMITS.devicesPerUserMax - 1
  t.same(parseDeviceKey(deviceKey(userId('bob'), last)), { user: 'bob', slot: last })
  for (const key of ['', 'bob', 'bob/', '/1', 'bob/x', 'bob/1/2', 'bob/-1', `bob/${last + 1}`]) {
    t.equal(parseDeviceKey(key), undefined, key)
  }
  t.throws(() => parseDeviceKey('Bob/1'), { code: 'BAD_NAME' })
})
