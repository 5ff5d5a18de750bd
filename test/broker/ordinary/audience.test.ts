import t from 'tap'
import { Audience } from '../../../src/broker/ordinary/audience.ts'
import { LIMITS } from '../../../src/limits.ts'
import { subscription } from './rig.ts'

const names = (audience: Audience<string>, topic: string) =>
  audience.of(topic).recipients.map(({ member }) => member)

t.test('each member is found once, however many of its filters match', async (t) => {
  const audience = new Audience<string>()
  audience.set('bob', subscription('a/#', { identifier: 1 }))
  audience.set('bob', subscription('a/+', { qos: 2, identifier: 2 }))
  audience.set('eve', subscription('a/b'))
  audience.set('eve', subscription('$SYS/#'))
  t.match(audience.of('a/b').recipients, [
    { member: 'bob', grant: { qos: 2, identifiers: [1, 2] } },
    { member: 'eve', grant: { qos: 1, identifiers: [] } },
  ])
  t.same(names(audience, 'a'), ['bob'])
  t.same(names(audience, '$SYS/x'), ['eve'])
  t.equal(audience.size, 4)
})

t.test('what is remembered is forgotten when anything changes', async (t) => {
  const audience = new Audience<string>()
  t.same(names(audience, 'a'), [])
  audience.set('bob', subscription('a', { qos: 0 }))
  t.same(names(audience, 'a'), ['bob'])
  audience.set('bob', subscription('a', { qos: 2 }))
  t.match(audience.of('a').recipients, [{ grant: { qos: 2 } }])
  t.equal(audience.size, 1, 'replaced')
  audience.delete('bob', subscription('a'))
  audience.delete('bob', subscription('a'))
  audience.delete('bob', subscription('nothing'))
  t.same(names(audience, 'a'), [])
  t.equal(audience.size, 0)
})

t.test(
  'No Local keeps away what the member published, unless another filter brings it',
  async (t) => {
    const audience = new Audience<string>()
    audience.set('bob', subscription('a', { isNoLocal: true, qos: 2 }))
    t.match(audience.of('a').recipients, [{ grant: { qos: 2 }, ownGrant: undefined }])
    audience.set('bob', subscription('+', { qos: 1 }))
    t.match(audience.of('a').recipients, [{ grant: { qos: 2 }, ownGrant: { qos: 1 } }])
  },
)

t.test('a shared subscription is of its group, beside others of the same member', async (t) => {
  const audience = new Audience<string>()
  audience.set('bob', subscription('a', { group: 'g' }))
  audience.set('eve', subscription('a', { group: 'g', qos: 2 }))
  audience.set('eve', subscription('a/#', { group: 'h' }))
  audience.set('eve', subscription('a'))
  const { recipients, shares } = audience.of('a')
  t.match(recipients, [{ member: 'eve' }])
  t.same(
    shares.map(({ members }) => members.map(({ member, grant }) => `${member} ${grant.qos}`)),
    [['eve 1'], ['bob 1', 'eve 2']],
  )
  audience.delete('bob', subscription('a', { group: 'g' }))
  audience.delete('eve', subscription('a', { group: 'g' }))
  t.equal(audience.of('a').shares.length, 1)
})

t.test('no more topics are remembered than the bound', async (t) => {
  const audience = new Audience<string>()
  audience.set('bob', subscription('#'))
  const first = audience.of('t/0')
  for (let at = 1; at < LIMITS.audiencesMax; at += 1) audience.of(`t/${at}`)
  t.equal(audience.of('t/0'), first, 'at the bound all are')
  audience.of('one more')
  t.not(audience.of('t/0'), first)
})
