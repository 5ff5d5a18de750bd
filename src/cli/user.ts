/** `waypost user …` */
import type { UserRow } from '../control/rows.ts'
import { argument, type Command } from './command.ts'
import { DEVICE_HEADING, deviceCells } from './device.ts'
import { columns, table, timeText } from './layout.ts'
import { PASSWORD_STDIN, passwordOf, passwordText } from './password.ts'

const NAME = { name: 'NAME', about: 'User id: a-z 0-9 . _ -, at most 64' }

const add: Command = {
  words: ['user', 'add'],
  about: 'Add a user',
  args: [NAME],
  flags: [{ name: 'admin', about: 'Let the user read $SYS and administer' }, PASSWORD_STDIN],
  takesKeys: false,
  async run(call) {
    const account = await call.perform('user.add', {
      id: argument(call, 'NAME'),
      isAdmin: call.flags.has('admin'),
      ...(await passwordOf(call)),
    })
    const text = () => `user ${account.id} added\n${passwordText(call, account.password)}`
    call.print(account, text)
  },
}

const list: Command = {
  words: ['user', 'list'],
  about: 'List the users',
  args: [],
  flags: [],
  takesKeys: false,
  async run(call) {
    const users = await call.perform('user.list', {})
    const heading = ['USER', 'ROLE', 'ONLINE', 'DEVICES', 'LAST SEEN']
    const rows = users.map((user) => [
      user.id,
      role(user),
      user.online ? 'yes' : 'no',
      String(user.devices),
      lastSeen(user),
    ])
    call.print(users, () => `${table(heading, rows, 'no users')}\n`)
  },
}

const show: Command = {
  words: ['user', 'show'],
  about: 'Show one user and its devices',
  args: [NAME],
  flags: [],
  takesKeys: false,
  async run(call) {
    const user = await call.perform('user.show', { id: argument(call, 'NAME') })
    const facts = columns([
      ['user', user.id],
      ['role', role(user)],
      ['online', user.online ? 'yes' : 'no'],
      ['last seen', lastSeen(user)],
      ['presence', `shown to ${user.presence}`],
      ['created', timeText(user.createdAt)],
    ])
    const devices = table(DEVICE_HEADING, user.devices.map(deviceCells), 'no devices yet')
    call.print(user, () => `${facts}\n\n${devices}\n`)
  },
}

const remove: Command = {
  words: ['user', 'remove'],
  about: 'Remove a user with its devices and the mail that waits for it',
  args: [NAME],
  flags: [],
  takesKeys: false,
  async run(call) {
    const removed = await call.perform('user.remove', { id: argument(call, 'NAME') })
    call.print(removed, () => `user ${removed.id} removed\n`)
  },
}

const passwd: Command = {
  words: ['user', 'passwd'],
  about: 'Give a user a new password and end its connections',
  args: [NAME],
  flags: [PASSWORD_STDIN],
  takesKeys: false,
  async run(call) {
    const input = { id: argument(call, 'NAME'), ...(await passwordOf(call)) }
    const account = await call.perform('user.passwd', input)
    const text = () =>
      `user ${account.id} has a new password\n${passwordText(call, account.password)}`
    call.print(account, text)
  },
}

function role(user: Pick<UserRow, 'admin'>): string {
  return user.admin ? 'admin' : 'user'
}

function lastSeen({ lastSeen: seen }: Pick<UserRow, 'lastSeen'>): string {
  return seen === undefined ? 'never' : timeText(seen.at)
}

export const USER_COMMANDS: readonly Command[] = [add, list, show, remove, passwd]
