import t from 'tap'
import { sessionKey } from '../../../src/broker/persistence/keys.ts'
import { type Subscription, Subscriptions } from '../../../src/broker/persistence/subscriptions.ts'
import { LIMITS } from '../../../src/limits.ts'
import { freshStore } from './rig.ts'

async function fresh(t: Parameters<typeof freshStore>[0], filtersPerSessionMax = 5) {
  const store = await freshStore(t)
  return { store, subscriptions: new Subscriptions({ store }, { filtersPerSessionMax }) }
}

const clients = (subscriptions: Subscriptions, topic: string) =>
  subscriptions.matching(topic).map(({ clientId, topic: filter }) => `${clientId} ${filter}`)

t.test('a subscription keeps its MQTT 5 options and nothing that hooks have added', async (t) => {
  const { subscriptions } = await fresh(t)
  const wanted = { topic: 'a/#', qos: 2, rh: 1, rap: true, nl: false, subscriptionIdentifier: 42 }
  subscriptions.add('bob', [{ ...wanted, func: () => undefined } as Subscription])
  t.same(subscriptions.of('bob'), [wanted])
  t.same(subscriptions.matching('a/b'), [{ clientId: 'bob', ...wanted }])
})

t.test('what is given out is a copy', async (t) => {
  const { subscriptions } = await fresh(t)
  subscriptions.add('bob', [{ topic: 'a', qos: 1 }])
  Object.assign(subscriptions.of('bob')[0] ?? {}, { qos: 0 })
  t.same(subscriptions.of('bob'), [{ topic: 'a', qos: 1 }])
})

t.test('what can never be granted is not kept', async (t) => {
  const { subscriptions } = await fresh(t)
  const deepest = Array(LIMITS.topicLevelsMax).fill('a').join('/')
  const filters = [deepest, `${deepest}/a`, 'a/'.repeat(30_000), 'a/#/b', '']
  subscriptions.add(
    'bob',
    filters.map((topic) => ({ topic, qos: 1 })),
  )
  t.same(subscriptions.of('bob'), [{ topic: deepest, qos: 1 }])
})

t.test('QoS 0 is remembered and not matched', async (t) => {
  const { subscriptions } = await fresh(t)
  subscriptions.add('bob', [{ topic: 'a', qos: 1 }])
  subscriptions.add('bob', [{ topic: 'a', qos: 0 }])
  t.same(clients(subscriptions, 'a'), [])
  t.same(subscriptions.of('bob'), [{ topic: 'a', qos: 0 }])
  t.equal(subscriptions.queueing, 0)
  t.equal(subscriptions.sessions, 1)
})

t.test('names of object properties are ordinary clients and filters', async (t) => {
  const { subscriptions } = await fresh(t)
  for (const name of ['__proto__', 'constructor', 'toString']) {
    t.same(subscriptions.of(name), [])
    subscriptions.add(name, [{ topic: name, qos: 1 }])
    t.same(clients(subscriptions, name), [`${name} ${name}`])
    t.same([...subscriptions.clientsOf(name)], [name])
    subscriptions.clear(name)
    t.same(clients(subscriptions, name), [])
  }
  t.equal(subscriptions.sessions, 0)
})

t.test('one client leaves a filter that others have', async (t) => {
  const { store, subscriptions } = await fresh(t)
  for (const client of ['bob', 'bobby']) subscriptions.add(client, [{ topic: 'a/+', qos: 1 }])
  subscriptions.remove('bob', ['a/+', 'not/there'])
  subscriptions.remove('nobody', ['a/+'])
  t.same(clients(subscriptions, 'a/b'), ['bobby a/+'])
  t.equal(subscriptions.queueing, 1)
  t.equal(store.get(sessionKey('bob', 'a/+')), undefined)
  t.not(store.get(sessionKey('bobby', 'a/+')), undefined)
})

t.test(
  'at the bound a session has all its filters, one past it none of the new ones',
  async (t) => {
    const { subscriptions } = await fresh(t, 3)
    subscriptions.add('bob', [{ topic: 'a', qos: 1 }])
    const three = ['a', 'b', 'c', 'c'].map((topic) => ({ topic, qos: 1 }))
    subscriptions.add('bob', three)
    t.equal(subscriptions.of('bob').length, 3)
    const more = [
      { topic: 'd', qos: 1 },
      { topic: 'a', qos: 0 },
    ]
    t.throws(() => subscriptions.add('bob', more), { code: 'FILTERS_FULL' })
    t.same(
      subscriptions.of('bob').map(({ qos }) => qos),
      [1, 1, 1],
    )
  },
)

t.test('a start brings subscriptions back from what was stored', async (t) => {
  const { store, subscriptions } = await fresh(t)
  const wanted = { topic: 'a/+', qos: 1, rap: true, subscriptionIdentifier: 7 }
  subscriptions.add('bob', [wanted])
  const key = sessionKey('bob', 'a/+')
  const again = new Subscriptions({ store }, { filtersPerSessionMax: 5 })
  again.visit(key, store.get(key) ?? new Uint8Array())
  t.same(again.of('bob'), [wanted])
  t.same(clients(again, 'a/b'), ['bob a/+'])
})
