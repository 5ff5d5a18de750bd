import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.ts'
import { flagOf, KEY_PATHS } from '../../src/config/keys.ts'
import { RelayError } from '../../src/errors.ts'
import { rig } from './rig.ts'

t.test('help is a result: on stdout, with exit code 0, and nothing is done', async (t) => {
  const { type, told } = rig()
  const lines = ['--help', 'user --help', 'user add --help', 'user add bob -h', 'run --help']
  for (const line of lines) {
    t.equal(await type(line), 0, line)
    t.match(told.out, /usage: waypost /)
    t.equal(told.err, '')
  }
  t.equal(told.opened, 0)
})

t.test('every command has help with --json, --config and a data directory', async (t) => {
  const { type, told } = rig()
  for (const { words } of COMMANDS) {
    t.equal(await type([...words, '--help'] as string[]), 0)
    for (const flag of ['--json', '--help', '--config', '--data-dir']) {
      t.ok(told.out.includes(flag), `${words.join(' ')} ${flag}`)
    }
  }
})

t.test('every key is a flag of run', async (t) => {
  const { type, told } = rig()
  await type('run --help')
  for (const path of KEY_PATHS) t.ok(told.out.includes(`--${flagOf(path)} `), path)
})

t.test('each kind of end has its exit code', async (t) => {
  const locked = new RelayError('STORE_LOCKED', 'in use')
  const bug = new TypeError('oops')
  const broken = (error: Error) => ({ loadRelay: () => Promise.reject(error) })
  const cases: [string, number, Parameters<typeof rig>[0]?][] = [
    ['version', 0],
    ['user add bob', 0],
    ['user show bob', 1],
    ['user list', 1, broken(locked)],
    ['user list', 1, broken(bug)],
    ['', 2],
    ['usr', 2],
    ['user', 2],
    ['user ad', 2],
    ['user add', 2],
    ['user add bob carol', 2],
    ['user add bob --admn', 2],
    ['message list --limit 0', 2],
    ['status', 69],
    ['config --config /nowhere/w.yaml', 78],
    ['run --mqtt-port -1', 78],
    ['user list', 78, { env: { WAYPOST_X: '1' } }],
  ]
  for (const [line, code, given] of cases) {
    const { type, told } = rig(given)
    t.equal(await type(line), code, line)
    t.equal(told.out === '', code !== 0, `${line}: results only where there is one`)
    t.equal(told.err.includes('waypost: '), code !== 0, `${line}: a word for every failure`)
  }
})

t.test('what nobody expected is told with its place in the code', async (t) => {
  const { type, told } = rig({ loadRelay: () => Promise.reject(new TypeError('oops')) })
  await type('user list')
  t.match(told.err, /TypeError: oops\n +at /)
})

t.test('what was typed cannot change what a screen shows', async (t) => {
  const { type, told } = rig()
  await type(['user', 'show', '\u001b[2J\u0085'])
  t.match(told.err, /\\u001b\[2J\\u0085/)
})
