import t from 'tap'
import { rig } from './rig.ts'

t.test('things are added, listed and removed', async (t) => {
  const { type, told, json } = rig({ input: 'secret' })
  await type('thing list')
  t.equal(told.out, 'no things\n')
  t.equal(await type('thing add door --json'), 0)
  t.match(json(), { id: 'door', password: /^\S{22}$/ })
  t.equal(await type('thing add gate --password-stdin'), 0)
  t.equal(told.out, 'thing gate added\n')
  await type('thing list')
  t.match(told.out, /^THING .*\ndoor .*\ngate .*\n$/)
  await type('thing list --json')
  t.match(json(), [{ id: 'door' }, { id: 'gate' }])
  t.equal(await type('thing remove door'), 0)
  t.equal(told.out, 'thing door removed\n')
  t.equal(await type('thing remove door'), 1)
})
