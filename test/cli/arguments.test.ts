import t from 'tap'
import { findCommand, readArguments } from '../../src/cli/arguments.ts'
import type { Command, Flag } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'

const usage = (...parts: string[]) => ({
  code: 'USAGE',
  message: new RegExp(parts.map((part) => part.replace(/[?-]/g, '\\$&')).join('.*')),
})

t.test('a command is found by its words', async (t) => {
  for (const command of COMMANDS) {
    const words = command.words.filter((word) => word !== undefined)
    t.same(findCommand([...words, 'x', '--y'], COMMANDS), {
      kind: 'command',
      command,
      rest: ['x', '--y'],
    })
  }
})

t.test('help is found for all and for a noun', async (t) => {
  t.same(findCommand(['--help'], COMMANDS), { kind: 'help', noun: undefined })
  t.same(findCommand(['-h'], COMMANDS), { kind: 'help', noun: undefined })
  t.same(findCommand(['user', '--help'], COMMANDS), { kind: 'help', noun: 'user' })
})

t.test('a word that is no command names the one that was meant', async (t) => {
  const cases: [string[], string[]][] = [
    [[], ['missing', 'waypost --help']],
    [['usr'], ['"usr"', 'did you mean user?']],
    [['zzzzzz'], ['"zzzzzz"', 'waypost --help']],
    [['user'], ['needs a verb', 'add, list, show, remove, passwd']],
    [
      ['user', 'ad'],
      ['"ad"', 'did you mean add?', 'waypost user --help'],
    ],
    [['user', '--json'], ['verb']],
    [['--json'], ['no command']],
    [['toString'], ['no command']],
  ]
  for (const [argv, parts] of cases) {
    t.throws(() => findCommand(argv, COMMANDS), usage(...parts), argv.join(' '))
  }
})

const COMMAND: Command = {
  words: ['box', 'open'],
  about: '',
  args: [
    { name: 'A', about: '' },
    { name: 'B', about: '' },
  ],
  flags: [],
  takesKeys: false,
  run: async () => undefined,
}

const FLAGS: readonly Flag[] = [
  { name: 'json', about: '' },
  { name: 'data-dir', value: 'DIR', about: '' },
  { name: 'status', value: 'STATUS', choices: ['new', 'old'], about: '' },
]

t.test('arguments and flags come in any order', async (t) => {
  for (const rest of [
    ['a', 'b', '--json', '--data-dir', '/x'],
    ['--data-dir=/x', 'a', '--json', 'b'],
    ['--json', '--data-dir', '/x', '--', 'a', 'b'],
  ]) {
    const { args, flags } = readArguments(COMMAND, FLAGS, rest)
    t.same(Object.fromEntries(args), { A: 'a', B: 'b' })
    t.same(Object.fromEntries(flags), { json: '', 'data-dir': '/x' })
  }
})

t.test(
  'what begins with a dash is an argument after two dashes, a value after an equals sign',
  async (t) => {
    const { args, flags } = readArguments(COMMAND, FLAGS, ['--data-dir=-x', '--', '-a', '--json'])
    t.same(Object.fromEntries(args), { A: '-a', B: '--json' })
    t.same(Object.fromEntries(flags), { 'data-dir': '-x' })
  },
)

t.test('a value may be a negative number', async (t) => {
  const { flags } = readArguments(COMMAND, FLAGS, ['a', 'b', '--data-dir', '-1'])
  t.equal(flags.get('data-dir'), '-1')
})

t.test('what does not fit is told with its mend', async (t) => {
  const cases: [string[], string[]][] = [
    [[], ['needs A']],
    [['a'], ['needs B', 'waypost box open --help']],
    [['a', 'b', 'c'], ['cannot use "c"']],
    [
      ['a', 'b', '--jsn'],
      ['"--jsn"', 'did you mean --json?'],
    ],
    [['a', 'b', '-x'], ['no flag "-x"']],
    [['a', 'b', '--json=yes'], ['--json takes no value']],
    [['a', 'b', '--json', '--json'], ['twice']],
    [['a', 'b', '--data-dir'], ['--data-dir needs a value: --data-dir DIR']],
    [['a', 'b', '--data-dir', '--json'], ['--data-dir needs a value']],
    [['a', 'b', '--status', 'red'], ['"red" is not allowed, new, old are']],
    [['a', 'b', '--__proto__'], ['no flag']],
    [['a', 'b', '--no-json'], ['no flag']],
  ]
  for (const [rest, parts] of cases) {
    t.throws(() => readArguments(COMMAND, FLAGS, rest), usage(...parts), rest.join(' '))
  }
})
