/** `waypost thing …` */
import { argument, type Command } from './command.ts'
import { table, timeText } from './layout.ts'
import { PASSWORD_STDIN, passwordOf, passwordText } from './password.ts'

const NAME = { name: 'NAME', about: 'Thing id: a-z 0-9 . _ -, at most 64' }

const add: Command = {
  words: ['thing', 'add'],
  about: 'Add a thing; it signs in with the user name thing:NAME',
  args: [NAME],
  flags: [PASSWORD_STDIN],
  takesKeys: false,
  async run(call) {
    const input = { id: argument(call, 'NAME'), ...(await passwordOf(call)) }
    const account = await call.perform('thing.add', input)
    const text = () => `thing ${account.id} added\n${passwordText(call, account.password)}`
    call.print(account, text)
  },
}

const list: Command = {
  words: ['thing', 'list'],
  about: 'List the things',
  args: [],
  flags: [],
  takesKeys: false,
  async run(call) {
    const things = await call.perform('thing.list', {})
    const rows = things.map(({ id, createdAt }) => [id, timeText(createdAt)])
    call.print(things, () => `${table(['THING', 'CREATED'], rows, 'no things')}\n`)
  },
}

const remove: Command = {
  words: ['thing', 'remove'],
  about: 'Remove a thing and end its connections',
  args: [NAME],
  flags: [],
  takesKeys: false,
  async run(call) {
    const removed = await call.perform('thing.remove', { id: argument(call, 'NAME') })
    call.print(removed, () => `thing ${removed.id} removed\n`)
  },
}

export const THING_COMMANDS: readonly Command[] = [add, list, remove]
