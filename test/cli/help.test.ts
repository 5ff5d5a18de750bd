import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.ts'
import { commandHelp, commandsHelp } from '../../src/cli/help.ts'

t.test('the help on all names every command and what it does', async (t) => {
  const text = commandsHelp('waypost', COMMANDS, undefined)
  for (const { words, about } of COMMANDS) {
    t.ok(text.includes(words.join(' ')) && text.includes(about), words.join(' '))
  }
  t.match(text, /69/)
})

t.test('the help on a noun names its verbs only', async (t) => {
  const text = commandsHelp('waypost', COMMANDS, 'device')
  t.match(text, /device list USER/)
  t.match(text, /device revoke USER DEVICE/)
  t.notMatch(text, /user add/)
})

t.test('the help on a command names its arguments, flags and choices', async (t) => {
  const command = COMMANDS.find(({ words }) => words.join(' ') === 'message list')
  if (command === undefined) throw new Error('no such command')
  const text = commandHelp('npm run waypost --', command, command.flags)
  t.match(text, /^usage: npm run waypost -- message list \[FLAGS\]\n/)
  t.match(text, /--status queued\|stored\|delivered\|read\|expired {2}\S/)
  t.match(text, /--since TIME {2}\s*\S/)
})
