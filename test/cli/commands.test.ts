import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.ts'

t.test('the commands of the contract are there', async (t) => {
  const words = COMMANDS.map((command) => command.words.join(' '))
  for (const line of [
    'run',
    'status',
    'config',
    'version',
    'user add',
    'user list',
    'user show',
    'user remove',
    'user passwd',
    'thing add',
    'thing list',
    'thing remove',
    'device list',
    'device revoke',
    'device allow',
    'message list',
    'message trace',
  ]) {
    t.ok(words.includes(line), line)
  }
  t.equal(new Set(words).size, words.length)
})

t.test('a noun has verbs or is a command itself, never both', async (t) => {
  for (const { words } of COMMANDS.filter((command) => command.words.length === 1)) {
    t.equal(COMMANDS.filter((command) => command.words[0] === words[0]).length, 1, words[0])
  }
})

t.test('every command, argument and flag is explained', async (t) => {
  for (const { about, args, flags } of COMMANDS) {
    for (const text of [
      about,
      ...args.map((arg) => arg.about),
      ...flags.map((flag) => flag.about),
    ]) {
      t.match(text, /^[A-Z].*[^.]$/)
    }
  }
})
