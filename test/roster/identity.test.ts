import t from 'tap'
import { accountName, accountNamed } from '../../src/roster/identity.ts'

t.test('a user name names a user or a thing', async (t) => {
  t.same(accountNamed('alice'), { kind: 'user', user: 'alice' })
  t.same(accountNamed('thing:lamp'), { kind: 'thing', thing: 'lamp' })
  for (const name of ['alice', 'thing:lamp', 'thing:alice', 'thing', 'constructor']) {
    const account = accountNamed(name)
    t.equal(account && accountName(account), name)
  }
})

t.test('what nobody can be called names nobody', async (t) => {
  const names = ['', 'thing:', 'Thing:lamp', 'thing:thing:a', 'thing:Lamp', 'Alice', '#', '+']
  for (const name of [...names, '__proto__', 'a:b', 'x'.repeat(65_535)]) {
    t.equal(accountNamed(name), undefined)
  }
})
