import t from 'tap'
import { Operations } from '../../src/control/operations.ts'
import { operationParts } from './rig.ts'

t.test('an operation that is unknown, or gets a wrong input, is refused', async (t) => {
  const operations = new Operations(operationParts().parts)
  const cases: [string, unknown][] = [
    ['user.fly', {}],
    ['toString', {}],
    ['__proto__', {}],
    ['', {}],
    ['user.list', undefined],
    ['user.list', null],
    ['user.list', { all: true }],
    ['user.add', { id: 'bob' }],
    ['user.add', { id: 5, isAdmin: false }],
    ['message.list', { limit: 0 }],
    ['message.list', { limit: 1_001 }],
    ['message.list', { limit: 10, status: 'lost' }],
  ]
  for (const [name, input] of cases) {
    await t.rejects(operations.perform(name, input), { code: 'BAD_REQUEST' }, `${name}`)
  }
  t.ok(await operations.perform('message.list', { limit: 1_000 }))
})

t.test('a change is answered after it is durable, a look at once', async (t) => {
  const { parts, happened } = operationParts()
  const operations = new Operations(parts)
  await operations.perform('user.add', { id: 'bob', isAdmin: false })
  t.same(happened, ['put user bob', 'durable'])
  await operations.perform('user.list', {})
  t.equal(happened.length, 2)
})

t.test('changes are performed one after another, and a refused one stops none', async (t) => {
  const { parts, happened } = operationParts()
  const operations = new Operations(parts)
  const add = () => operations.perform('user.add', { id: 'bob', isAdmin: false })
  const asked = [add(), operations.perform('user.remove', { id: 'bob' }), add(), add()]
  const outcomes = (await Promise.allSettled(asked)).map(({ status }) => status)
  t.same(outcomes, ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
  t.same(
    happened.filter((what) => what !== 'durable'),
    ['put user bob', 'remove user bob', 'disconnect bob', 'end mail of bob', 'put user bob'],
  )
})
