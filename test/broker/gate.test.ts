import t from 'tap'
import type { Connection } from '../../src/broker/connection.ts'
import { deviceOf, Gate, returnCodeOf } from '../../src/broker/gate.ts'
import { RelayError } from '../../src/errors.ts'
import { thingId, userId } from '../../src/message/names.ts'
import type { Identity } from '../../src/roster/identity.ts'
import type { Roster } from '../../src/roster/roster.ts'
import type { SignIn } from '../../src/roster/sign-in.ts'

const ALICE: Identity = { kind: 'user', user: userId('alice'), isAdmin: false }
const LAMP: Identity = { kind: 'thing', thing: thingId('lamp') }
const ANONYMOUS: Identity = { kind: 'anonymous' }

function scene(identity: Identity) {
  const happened: string[] = []
  const devices = new Map([['lost', { isRevoked: true }]])
  const roster = {
    connected: (_user: string, device: string) => happened.push(`${device} connected`),
    hold: (_user: string, device: string, box: string) => happened.push(`${device} holds ${box}`),
    user: (user: string) => (user === 'alice' ? { id: user, isAdmin: true, devices } : undefined),
    thing: (thing: string) => (thing === 'lamp' ? { id: thing } : undefined),
    maySeePresence: () => false,
  } as unknown as Roster
  const signIn = { authenticate: async () => identity } as unknown as SignIn
  const rules = [
    { who: '*', topics: '#', actions: ['subscribe' as const], effect: 'allow' as const },
  ]
  const gate = new Gate({ roster, signIn }, { rules })
  const connection = {
    address: '127.0.0.1',
    isClosed: false,
    isRegistered: false,
    assignedId: '',
    filters: [],
  } as unknown as Connection
  return { gate, connection, happened }
}

const SECRET = { userName: 'x', password: undefined }

t.test('sessions are named by who it is and the client id', async (t) => {
  for (const [identity, session] of [
    [ALICE, 'alice/phone'],
    [LAMP, 'thing:lamp/phone'],
    [ANONYMOUS, '/phone'],
  ] as const) {
    const { gate, connection } = scene(identity)
    t.equal(await gate.enter(connection, 'phone', SECRET), session)
    t.equal(connection.identity, identity)
    t.equal(deviceOf(connection), 'phone')
    t.equal(connection.isRegistered, identity === ALICE)
  }
})

t.test('a client that has gone meanwhile is not registered', async (t) => {
  const { gate, connection, happened } = scene(ALICE)
  Object.assign(connection, { isClosed: true })
  t.equal(await gate.enter(connection, 'phone', SECRET), undefined)
  t.same(happened, [])
})

t.test('a filter that reaches a box makes the device hold it, unless by QoS 0', async (t) => {
  const { gate, connection, happened } = scene(ALICE)
  const grant = () => gate.grant(connection, 'users/alice/inbox/#', 1)
  t.throws(grant, { code: 'NOT_AUTHORIZED' }, 'not signed in')
  await gate.enter(connection, 'phone', SECRET)
  happened.length = 0
  t.match(gate.grant(connection, 'users/alice/inbox/#', 0), { filter: 'users/alice/inbox/#' })
  t.match(gate.grant(connection, 'users/bob/profile', 1), { filter: 'users/bob/profile' })
  t.same(happened, [])
  gate.grant(connection, 'users/alice/inbox/#', 1)
  gate.grant(connection, '#', 2)
  t.same(happened, ['phone holds inbox', 'phone holds inbox', 'phone holds receipts'])
  const other = () => gate.grant(connection, 'users/bob/inbox/#', 1)
  t.throws(other, { code: 'NOT_AUTHORIZED' })
  t.throws(() => gate.grant(connection, 'a/#/b', 1), { code: 'BAD_TOPIC' })
  t.same(gate.grant(connection, '$share/g/things/#', 1), { filter: 'things/#', group: 'g' })
})

t.test(
  'whose will it is follows from its session, as long as the author may be here',
  async (t) => {
    const { gate, connection } = scene(ANONYMOUS)
    t.match(gate.authorOf(undefined, 'alice/phone'), { kind: 'user', user: 'alice', isAdmin: true })
    t.match(gate.authorOf(undefined, 'thing:lamp/a/b'), { kind: 'thing', thing: 'lamp' })
    await gate.enter(connection, 'x', SECRET)
    t.match(gate.authorOf(connection, '/x'), { kind: 'anonymous' })
    t.throws(() => gate.authorOf(undefined, 'alice/lost'), { code: 'DEVICE_REVOKED' })
    for (const session of ['bob/phone', 'thing:none/x', '/x', '', 'alice']) {
      t.throws(() => gate.authorOf(undefined, session), { code: 'NOT_AUTHORIZED' })
    }
  },
)

t.test('refusals have return codes of 3.1.1', async (t) => {
  t.equal(returnCodeOf(new RelayError('WRONG_CREDENTIALS', '')), 4)
  t.equal(returnCodeOf(new RelayError('BAD_NAME', '')), 2)
  t.equal(returnCodeOf(new RelayError('TOO_MANY_ATTEMPTS', '')), 5)
  t.equal(returnCodeOf(new RelayError('DEVICE_REVOKED', '')), 5)
  t.equal(returnCodeOf(new Error('disk')), 3)
})
