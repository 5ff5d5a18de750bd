import { readFileSync } from 'node:fs'
import t from 'tap'
import { VERSION } from '../src/version.ts'

t.test('the version is the one of package.json', async (t) => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  t.equal(VERSION, (JSON.parse(text) as { version: string }).version)
  t.match(VERSION, /^\d+\.\d+\.\d+/)
})
