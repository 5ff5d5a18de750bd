import t from 'tap'
import { offsetOf, readYaml } from '../../src/config/yaml.ts'

t.test('a file that is not the plain YAML of the contract names its line', async (t) => {
  const cases: [string, number][] = [
    ['a: [', 1],
    ['a: 1\nb: c: d', 2],
    ['a: 1\na: 2', 2],
    ['a: &x 1\nb: *x', 2],
    ['a: 1\n---\nb: 1', 2],
    ['a:\n  b: !own x', 2],
    ['? [a]\n: 1', 1],
    ['\ta: 1', 1],
    ['a: "\\q"', 1],
  ]
  for (const [content, line] of cases) {
    const says = new RegExp(`^f\\.yaml:${line}: `)
    t.throws(() => readYaml('f.yaml', content), { code: 'CONFIG_INVALID', message: says }, content)
  }
})

t.test('however deep a file is nested, it is read or refused', async (t) => {
  for (const depth of [10, 500, 1_000, 2_000, 4_000, 50_000]) {
    for (const [open, close] of [
      ['[', ']'],
      ['{a: ', '}'],
      ['- ', ''],
    ] as const) {
      const content = open.repeat(depth) + close.repeat(depth)
      try {
        readYaml('f.yaml', content)
      } catch (error) {
        t.match(error, { code: 'CONFIG_INVALID' }, `${open} ${depth}`)
      }
    }
  }
})

t.test('a YAML 1.1 directive changes no meaning', async (t) => {
  const { root } = readYaml('f.yaml', '%YAML 1.1\n---\na: yes\nb: 0o10')
  t.same(root?.toJSON(), { a: 'yes', b: 8 })
})

t.test('an empty file has no root', async (t) => {
  t.equal(readYaml('f.yaml', '').root, null)
  t.equal(readYaml('f.yaml', '# nothing\n').root, null)
})

t.test('the place of a part is its own line, of a missing one that of its parent', async (t) => {
  const { root, placeAt } = readYaml('f.yaml', 'a:\n  - b: 1\n    c: 2\n')
  t.equal(placeAt(offsetOf(root, ['a', 0, 'c'])), 'f.yaml:3')
  t.equal(placeAt(offsetOf(root, ['a', 0, 'd'])), 'f.yaml:2')
  t.equal(offsetOf(null, ['a']), 0)
})
