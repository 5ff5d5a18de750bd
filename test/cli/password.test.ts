import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { rig } from './rig.ts'

t.test('the first line of stdin is the password, however it ends', async (t) => {
  for (const input of ['secret', 'secret\n', 'secret\r\n', 'secret\nmore\n']) {
    const { type, json } = rig({ input })
    t.equal(await type('user add bob --password-stdin --json'), 0)
    t.same(json(), { id: 'bob', password: 'secret' })
  }
})

t.test('blanks and letters of any script belong to the password', async (t) => {
  const { type, json } = rig({ input: ' пароль \n' })
  await type('user add bob --password-stdin --json')
  t.match(json(), { password: ' пароль ' })
})

t.test('no password on stdin is a usage error', async (t) => {
  for (const input of ['', '\n', '\nsecret']) {
    const { type, told } = rig({ input })
    t.equal(await type('user add bob --password-stdin'), 2)
    t.match(told.err, /password-stdin/)
  }
})

t.test('the longest password is taken, a longer one refused', async (t) => {
  const { type } = rig({ input: `${'x'.repeat(LIMITS.passwordBytesMax)}\r\n` })
  t.equal(await type('user add bob --password-stdin'), 0)
  const longer = rig({ input: `${'x'.repeat(LIMITS.passwordBytesMax + 1)}\n` })
  t.equal(await longer.type('user add bob --password-stdin'), 1)
})

t.test('a password is shown only where it was generated', async (t) => {
  const chosen = rig({ input: 'secret' })
  await chosen.type('user add bob --password-stdin')
  t.notMatch(chosen.told.out, /secret/)
  const generated = rig()
  await generated.type('user add bob')
  t.match(generated.told.out, /^user bob added\npassword: \S{22}\n$/)
})
