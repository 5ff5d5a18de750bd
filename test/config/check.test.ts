import t from 'tap'
import { complaintAbout, invalid } from '../../src/config/check.ts'

const RULE = { who: 'bob', topics: 'a/#', actions: ['publish'], effect: 'allow' }

t.test('an allowed value has no complaint', async (t) => {
  t.equal(complaintAbout('mqtt.port', 0), undefined)
  t.equal(complaintAbout('access.rules', [RULE]), undefined)
})

t.test('a complaint names the place inside the value', async (t) => {
  const cases: [unknown, (string | number)[], unknown][] = [
    [{}, [], {}],
    [[RULE, 3], [1], 3],
    [[{ ...RULE, who: 'Bob' }], [0, 'who'], 'Bob'],
    [[{ ...RULE, who: 'thing:' }], [0, 'who'], 'thing:'],
    [[{ ...RULE, topics: 'a/#/b' }], [0, 'topics'], 'a/#/b'],
    [[{ ...RULE, topics: '' }], [0, 'topics'], ''],
    [[{ ...RULE, actions: [] }], [0, 'actions'], []],
    [[{ ...RULE, actions: ['read'] }], [0, 'actions', 0], 'read'],
    [[{ ...RULE, effect: 'perhaps' }], [0, 'effect'], 'perhaps'],
    [[{ ...RULE, toString: 1 }], [0, 'toString'], 1],
    [[{ who: 'bob' }], [0], { who: 'bob' }],
  ]
  for (const [value, steps, found] of cases) {
    const complaint = complaintAbout('access.rules', value)
    t.same(complaint?.steps, steps, JSON.stringify(value))
    t.same(complaint?.found, found)
    t.ok(complaint?.allowed)
  }
})

t.test('the error names place, key, what was found and what is allowed', async (t) => {
  const complaint = { steps: [0, 'effect'], found: 'perhaps', allowed: 'allow or deny' }
  const error = invalid('f.yaml:7', 'access.rules', complaint)
  t.equal(error.code, 'CONFIG_INVALID')
  for (const part of ['f.yaml:7', 'access.rules[0].effect', '"perhaps"', 'allow or deny']) {
    t.ok(error.message.includes(part), part)
  }
})

t.test('a long or missing value makes no long line', async (t) => {
  for (const found of [undefined, 'x'.repeat(10_000), Array(10_000).fill(1)]) {
    const error = invalid('f', 'access.rules', { steps: [], found, allowed: 'a list' })
    t.ok(error.message.length < 200)
  }
})
