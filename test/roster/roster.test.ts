import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { deviceId, thingId, userId } from '../../src/message/names.ts'
import { Rig } from './parts.ts'

const alice = userId('alice')
const bob = userId('bob')
const lamp = thingId('lamp')
const phone = deviceId('phone')
const failsWith = (code: ErrorCode) => ({ code })
const person = { isAdmin: false }

t.test('a user is added with a password or gets one', async (t) => {
  const { roster, state } = new Rig()
  t.same(await roster.addUser(alice, { ...person, password: 'pw' }), {
    id: 'alice',
    password: 'pw',
  })
  t.match(await roster.addUser(bob, { isAdmin: true }), {
    id: 'bob',
    password: /^[A-Za-z0-9_-]{22}$/,
  })
  t.same(
    roster.users().map(({ id, isAdmin, presence }) => [id, isAdmin, presence]),
    [
      ['alice', false, 'everyone'],
      ['bob', true, 'everyone'],
    ],
  )
  t.equal(roster.user(userId('carol')), undefined)
  t.notMatch(JSON.stringify([...state.records]), /"pw"/, 'no password is stored')
})

t.test('a name is taken once, also by two requests at a time', async (t) => {
  const { roster } = new Rig()
  const both = await Promise.allSettled([roster.addUser(bob, person), roster.addUser(bob, person)])
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  await t.rejects(roster.addUser(bob, person), failsWith('EXISTS'))
  await roster.addThing(lamp)
  await t.rejects(roster.addThing(lamp), failsWith('EXISTS'))
  await t.resolves(roster.addThing(thingId('bob')), 'things have names of their own')
})

t.test('nobody is called as access rules call those without a name', async (t) => {
  const { roster } = new Rig()
  await t.rejects(roster.addUser(userId('anonymous'), person), failsWith('BAD_NAME'))
})

t.test('so many users and things are there, and one more is not', async (t) => {
  const rig = new Rig()
  await rig.roster.addUser(alice, person)
  await rig.roster.addThing(lamp)
  const [user, thing] = [rig.state.records.get('user alice'), rig.state.records.get('thing lamp')]
  for (let at = 1; at < LIMITS.usersMax; at += 1) rig.roster.restore('user', `u${at}`, user)
  for (let at = 1; at < LIMITS.thingsMax - 1; at += 1) rig.roster.restore('thing', `t${at}`, thing)
  await t.rejects(rig.roster.addUser(bob, person), failsWith('ROSTER_FULL'))
  rig.roster.removeUser(alice)
  await rig.roster.addUser(bob, person)
  await rig.roster.addThing(thingId('last'))
  await t.rejects(rig.roster.addThing(thingId('one-more')), failsWith('ROSTER_FULL'))
})

t.test('everything outlives a restart, in whatever order it comes back', async (t) => {
  const rig = new Rig()
  await rig.roster.addUser(alice, { isAdmin: true, password: 'pw' })
  await rig.roster.addUser(bob, person)
  await rig.roster.addThing(lamp)
  rig.roster.setPresencePrivacy(bob, 'nobody')
  rig.roster.connected(bob, phone)
  rig.roster.hold(bob, phone, 'inbox')
  rig.clock.advance(1)
  rig.roster.disconnected(bob, phone)
  rig.roster.stop()
  const presence = rig.roster.presence(bob)
  const credential = rig.roster.credential({ kind: 'user', user: alice })
  t.same(rig.restart(), [])
  t.same(
    rig.roster.users().map(({ id, isAdmin, presence }) => [id, isAdmin, presence]),
    [
      ['bob', false, 'nobody'],
      ['alice', true, 'everyone'],
    ],
  )
  t.match(rig.roster.thing(lamp), { id: 'lamp' })
  t.equal(rig.roster.things().length, 1)
  t.equal(rig.roster.credential({ kind: 'user', user: alice }), credential)
  t.equal(rig.roster.presence(bob), presence)
  t.same(
    rig.roster.holders(bob, 'inbox').map((device) => device.id),
    ['phone'],
  )
})

t.test('a record that cannot be used is named, and the others are restored', async (t) => {
  const rig = new Rig()
  await rig.roster.addUser(alice, person)
  await rig.roster.addThing(lamp)
  const user = rig.state.records.get('user alice') as object
  rig.state.put('user', 'Eve', user)
  rig.state.put('user', 'mallory', { ...user, credential: '' })
  rig.state.put('thing', 'junk', 'x')
  rig.state.put('device', 'alice/999', {})
  rig.state.put('group', 'of a later version', {})
  t.same(rig.restart().sort(), ['device alice/999', 'thing junk', 'user Eve', 'user mallory'])
  t.same(
    rig.roster.users().map(({ id }) => id),
    ['alice'],
  )
})

t.test('devices whose user is lost are removed and reported at start', async (t) => {
  const rig = new Rig()
  await rig.roster.addUser(bob, person)
  rig.roster.connected(bob, phone)
  const device = rig.state.records.get('device bob/0')
  rig.state.put('device', 'eve/3', device)
  rig.roster.restore('device', 'eve/3', device)
  t.same(rig.roster.start(), ['eve'])
  t.notOk(rig.state.records.has('device eve/3'))
  t.same(rig.roster.start(), [])
  rig.roster.stop()
})

t.test('a removed user leaves no record, and may come again as somebody new', async (t) => {
  const rig = new Rig()
  await rig.roster.addUser(bob, person)
  rig.roster.connected(bob, phone)
  rig.roster.hold(bob, phone, 'inbox')
  rig.roster.removeUser(bob)
  t.equal(rig.state.records.size, 0)
  t.equal(rig.roster.user(bob), undefined)
  t.equal(rig.roster.presence(bob), undefined)
  t.same(rig.roster.holders(bob, 'inbox'), [])
  t.throws(() => rig.roster.connected(bob, phone), failsWith('NOT_FOUND'))
  t.throws(() => rig.roster.removeUser(bob), failsWith('NOT_FOUND'))
  await rig.roster.addUser(bob, person)
  t.equal(rig.roster.user(bob)?.devices.size, 0)
  await rig.roster.addThing(lamp)
  rig.roster.removeThing(lamp)
  t.throws(() => rig.roster.removeThing(lamp), failsWith('NOT_FOUND'))
  t.equal(rig.roster.thing(lamp), undefined)
})

t.test('a password is changed or generated anew', async (t) => {
  const { roster } = new Rig()
  await t.rejects(roster.setPassword(bob, 'pw'), failsWith('NOT_FOUND'))
  await roster.addUser(bob, { isAdmin: true, password: 'pw' })
  const account = { kind: 'user', user: bob } as const
  const before = roster.credential(account)
  t.same(await roster.setPassword(bob, 'pw2'), { id: 'bob', password: 'pw2' })
  t.not(roster.credential(account), before)
  t.match((await roster.setPassword(bob)).password, /^.{22}$/)
  t.ok(roster.user(bob)?.isAdmin)
  await t.rejects(roster.setPassword(bob, ''), failsWith('BAD_REQUEST'))
  const late = roster.setPassword(bob, 'pw3')
  roster.removeUser(bob)
  await t.rejects(late, failsWith('NOT_FOUND'), 'it does not bring a removed user back')
  t.equal(roster.user(bob), undefined)
})

t.test('a renewed hash replaces only the one it was made from', async (t) => {
  const { roster } = new Rig()
  await roster.addUser(bob, person)
  await roster.addThing(lamp)
  for (const account of [
    { kind: 'user', user: bob },
    { kind: 'thing', thing: lamp },
  ] as const) {
    const stored = roster.credential(account) ?? ''
    roster.renewCredential(account, stored, 'new')
    roster.renewCredential(account, stored, 'newer')
    t.equal(roster.credential(account), 'new')
  }
  roster.renewCredential({ kind: 'user', user: alice }, 'x', 'new')
  t.equal(roster.user(alice), undefined)
})

t.test('presence follows the devices and is told', async (t) => {
  const { clock, roster, presences } = new Rig()
  await roster.addUser(bob, person)
  t.same(JSON.parse(roster.presence(bob) ?? ''), {
    status: 'offline',
    lastSeen: null,
    clock: 'none',
  })
  const cameAt = new Date(clock.wallMs()).toISOString()
  roster.connected(bob, phone)
  t.same(JSON.parse(roster.presence(bob) ?? ''), {
    status: 'online',
    lastSeen: cameAt,
    clock: 'ntp',
  })
  clock.nowMs += 5_000
  clock.trust = 'device'
  roster.disconnected(bob, phone)
  t.match(JSON.parse(roster.presence(bob) ?? ''), { status: 'offline', clock: 'device' })
  t.equal(roster.user(bob)?.lastSeen?.atMs, clock.wallMs())
  roster.setPresencePrivacy(bob, 'nobody')
  roster.setPresencePrivacy(bob, 'nobody')
  roster.removeUser(bob)
  t.same(presences, ['bob', 'bob', 'bob', 'bob', 'bob'], 'added, came, went, hid, removed')
})

t.test('presence is seen by whom the user allows', async (t) => {
  const { roster } = new Rig()
  await roster.addUser(bob, person)
  const viewer = { user: alice, isAdmin: false }
  t.ok(roster.maySeePresence(bob, viewer))
  roster.setPresencePrivacy(bob, 'contacts')
  t.notOk(roster.maySeePresence(bob, viewer))
  t.ok(roster.maySeePresence(bob, { user: alice, isAdmin: true }))
  t.notOk(roster.maySeePresence(userId('eve'), viewer), 'of nobody there is nothing to see')
  t.throws(() => roster.setPresencePrivacy(alice, 'nobody'), failsWith('NOT_FOUND'))
})

t.test(
  'devices are held, released, revoked, allowed and found idle through the roster',
  async (t) => {
    const { clock, roster } = new Rig()
    await roster.addUser(bob, person)
    roster.connected(bob, phone)
    t.ok(roster.hold(bob, phone, 'receipts'))
    roster.disconnected(bob, phone)
    clock.nowMs += 1
    t.equal([...roster.idleSince(clock.nowMs)].length, 1)
    roster.release(bob, phone, ['receipts'])
    t.same(roster.holders(bob, 'receipts'), [])
    roster.revoke(bob, phone)
    t.throws(() => roster.connected(bob, phone), failsWith('DEVICE_REVOKED'))
    roster.allow(bob, phone)
    t.equal(roster.connected(bob, phone).number, 1)
  },
)
