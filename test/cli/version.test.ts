import t from 'tap'
import { VERSION } from '../../src/version.ts'
import { rig } from './rig.ts'

t.test('the version is told in words and in JSON, by command and by flag', async (t) => {
  const { type, told, json } = rig()
  t.equal(await type('version'), 0)
  t.ok(told.out.startsWith(`waypost ${VERSION} `))
  t.equal(await type('--version'), 0)
  t.equal(await type('version --json'), 0)
  t.match(json(), { version: VERSION, node: process.version })
})
