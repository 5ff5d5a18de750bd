import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')
const TEXT = readFileSync(join(ROOT, 'docs/CONFORMANCE.md'), 'utf8')
const HELD = /^(yes|partly|no|client|n\/a)\b/

/** The rows of the table of one standard. */
function rowsOf(standard: string): { statement: string; held: string; where: string }[] {
  const part = TEXT.split(/^## /m).find((text) => text.startsWith(`${standard}\n`)) ?? ''
  return [...part.matchAll(/^\| (MQTT-.+?) \| .+? \| (.+?) \| ?(.*?) ?\|$/gm)].map(
    ([, statement = '', held = '', where = '']) => ({ statement, held, where }),
  )
}

for (const standard of ['MQTT 3.1.1', 'MQTT 5']) {
  t.test(`each statement of ${standard} stands once, with an answer and a place`, async (t) => {
    const rows = rowsOf(standard)
    t.ok(rows.length > 100, `${rows.length} rows`)
    const names = rows.map(({ statement }) => statement)
    t.same(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    )
    for (const { statement, held, where } of rows) {
      t.match(held, HELD, statement)
      // What the relay does is somewhere; what it does not, or others do, need not be.
      if (held.startsWith('yes')) t.match(where, /`src\/|aedes/, statement)
      if (held.startsWith('yes')) t.match(where, /`test\//, statement)
    }
  })
}

t.test('nine in ten of the statements that bind a server are held whole', async (t) => {
  const rows = ['MQTT 3.1.1', 'MQTT 5'].flatMap(rowsOf)
  const binding = rows.filter(({ held }) => /^(yes|partly|no)\b/.test(held))
  const whole = binding.filter(({ held }) => held.startsWith('yes'))
  t.ok(whole.length >= 0.9 * binding.length, `${whole.length} of ${binding.length}`)
  t.comment(`${whole.length} of ${binding.length} rows`)
})

t.test('the files that it names are there', async (t) => {
  const paths = new Set(
    [...TEXT.matchAll(/`((?:src|test)\/[^`\s]+)`/g)].map(([, path = '']) => path),
  )
  t.ok(paths.size > 50)
  for (const path of paths) t.ok(existsSync(join(ROOT, path)), path)
})
