import t from 'tap'
import { Operations } from '../../src/control/operations.ts'
import { OPERATIONS } from '../../src/control/table.ts'
import { bob, operationParts, phone, traceOf } from './rig.ts'

async function withBob() {
  const rig = operationParts()
  const operations = new Operations(rig.parts)
  await rig.roster.addUser(bob, { isAdmin: true })
  rig.roster.connected(bob, phone)
  rig.happened.length = 0
  return { ...rig, perform: (name: string, input: object) => operations.perform(name, input) }
}

t.test('a new account is answered with its id and password', async (t) => {
  const { perform } = await withBob()
  t.match(await perform('user.add', { id: 'eve', isAdmin: false }), {
    id: 'eve',
    password: /.{22}/,
  })
  t.same(await perform('user.add', { id: 'dan', isAdmin: false, password: 'secret' }), {
    id: 'dan',
    password: 'secret',
  })
  t.match(await perform('thing.add', { id: 'door' }), { id: 'door', password: /.{22}/ })
})

t.test('users, devices and things are listed without credentials', async (t) => {
  const { perform } = await withBob()
  await perform('thing.add', { id: 'door', password: 'x' })
  const at = '2026-11-24T00:00:00.000Z'
  const device = {
    id: 'phone',
    connected: true,
    revoked: false,
    takesMail: false,
    lastSeen: { at, clock: 'device' },
    firstSeenAt: at,
  }
  const user = {
    id: 'bob',
    admin: true,
    online: true,
    lastSeen: { at, clock: 'device' },
    createdAt: at,
  }
  t.same(await perform('user.list', {}), [{ ...user, devices: 1 }])
  t.same(await perform('user.show', { id: 'bob' }), {
    ...user,
    presence: 'everyone',
    devices: [device],
  })
  t.same(await perform('device.list', { id: 'bob' }), [device])
  t.same(await perform('thing.list', {}), [{ id: 'door', createdAt: at }])
})

t.test('a user who never came has no last seen', async (t) => {
  const { perform } = await withBob()
  await perform('user.add', { id: 'eve', isAdmin: false })
  t.notOk('lastSeen' in ((await perform('user.show', { id: 'eve' })) as object))
})

t.test('a removed user is gone first, then disconnected, then its mail ends', async (t) => {
  const { perform, happened } = await withBob()
  t.same(await perform('user.remove', { id: 'bob' }), { id: 'bob' })
  const steps = happened.filter((what) => !what.includes('device'))
  t.same(steps, ['remove user bob', 'disconnect bob', 'end mail of bob', 'durable'])
})

t.test('a new password disconnects who came with the old one', async (t) => {
  const { perform, happened } = await withBob()
  t.same(await perform('user.passwd', { id: 'bob', password: 'x' }), { id: 'bob', password: 'x' })
  t.same(happened, ['put user bob', 'disconnect bob', 'durable'])
})

t.test('a removed thing is disconnected', async (t) => {
  const { perform, happened } = await withBob()
  await perform('thing.add', { id: 'door' })
  await perform('thing.remove', { id: 'door' })
  t.same(happened.slice(-3), ['remove thing door', 'end thing door', 'durable'])
})

t.test('a revoked device is settled without, and can be allowed again', async (t) => {
  const { perform, happened, roster } = await withBob()
  const input = { user: 'bob', device: 'phone' }
  t.same(await perform('device.revoke', input), input)
  t.same(happened, ['put device bob/0', 'settle without bob phone', 'durable'])
  t.equal(roster.user(bob)?.devices.get(phone)?.isRevoked, true)
  t.same(await perform('device.allow', input), input)
  t.equal(roster.user(bob)?.devices.get(phone)?.isRevoked, false)
})

t.test('messages are asked for with the filters given, and no others', async (t) => {
  const { perform, happened } = await withBob()
  await perform('message.list', { limit: 5 })
  await perform('message.list', { limit: 5, user: 'bob', id: 'm1', status: 'queued', sinceMs: 1 })
  t.same(
    happened.map((what) => JSON.parse(what.slice('list '.length))),
    [{ limit: 5 }, { limit: 5, user: 'bob', id: 'm1', status: 'queued', sinceMs: 1 }],
  )
})

t.test('a trace is one story, with the others of that id beside it', async (t) => {
  const { perform, traces } = await withBob()
  const [first, second] = [traceOf('m1', 'bob'), traceOf('m1', 'eve')]
  traces.push(first)
  t.same(await perform('message.trace', { id: 'm1' }), first)
  traces.push(second)
  t.same(await perform('message.trace', { id: 'm1' }), { ...first, others: [second] })
  await t.rejects(perform('message.trace', { id: 'm2' }), { code: 'NOT_FOUND' })
})

t.test('the status is as the contract has it', async (t) => {
  const { perform } = await withBob()
  t.same(Object.keys((await perform('status', {})) as object), [
    'relay',
    'version',
    'uptimeMs',
    'clients',
    'messages',
    'disk',
    'links',
    'problems',
  ])
})

t.test('names that are not allowed, and people who are not there, are refused', async (t) => {
  const { perform } = await withBob()
  const cases: [string, object, string][] = [
    ['user.add', { id: 'Bob', isAdmin: false }, 'BAD_NAME'],
    ['user.add', { id: 'bob', isAdmin: false }, 'EXISTS'],
    ['user.add', { id: 'eve', isAdmin: false, password: '' }, 'BAD_REQUEST'],
    ['user.show', { id: 'bobby' }, 'NOT_FOUND'],
    ['user.show', { id: '../x' }, 'BAD_NAME'],
    ['user.remove', { id: 'bobby' }, 'NOT_FOUND'],
    ['user.passwd', { id: 'bobby' }, 'NOT_FOUND'],
    ['thing.remove', { id: 'door' }, 'NOT_FOUND'],
    ['device.list', { id: 'bobby' }, 'NOT_FOUND'],
    ['device.revoke', { user: 'bob', device: 'pad' }, 'NOT_FOUND'],
    ['device.revoke', { user: 'bob', device: '' }, 'BAD_NAME'],
    ['device.allow', { user: 'bobby', device: 'phone' }, 'NOT_FOUND'],
    ['message.list', { limit: 1, user: '#' }, 'BAD_NAME'],
    ['message.trace', { id: 'a/b' }, 'BAD_NAME'],
  ]
  for (const [name, input, code] of cases) {
    await t.rejects(perform(name, input), { code }, `${name} ${JSON.stringify(input)}`)
  }
})

t.test('what changes something waits for the disk, what does not does not', async (t) => {
  const changing = Object.entries(OPERATIONS).filter(([, { isChange }]) => isChange)
  t.same(
    changing.map(([name]) => name),
    [
      'user.add',
      'user.remove',
      'user.passwd',
      'thing.add',
      'thing.remove',
      'device.revoke',
      'device.allow',
    ],
  )
})
