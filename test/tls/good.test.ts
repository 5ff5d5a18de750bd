import { randomBytes } from 'node:crypto'
import t from 'tap'
import { issue, makeAuthority } from '../../src/tls/authority.ts'
import { isGoodFor } from '../../src/tls/good.ts'

const parts = { random: randomBytes }
const NAMES = { dns: ['localhost', 'depot'], ip: ['10.0.0.7', '::1'] }

t.test('it serves while it is of the authority and has every name', async (t) => {
  const authority = await makeAuthority(parts, 'Waypost depot')
  const other = await makeAuthority(parts, 'Waypost depot')
  const leaf = await issue(parts, authority, NAMES)
  t.ok(isGoodFor(leaf, authority, NAMES))
  t.ok(isGoodFor(leaf, authority, { dns: ['depot'], ip: ['::1'] }), 'also with names to spare')
  t.notOk(isGoodFor(leaf, authority, { dns: ['shed'], ip: [] }))
  t.notOk(isGoodFor(leaf, authority, { dns: [], ip: ['10.0.0.8'] }))
  t.notOk(isGoodFor(leaf, other, NAMES))
  t.notOk(isGoodFor(undefined, authority, NAMES))
  t.notOk(isGoodFor(leaf, undefined, NAMES))
})
