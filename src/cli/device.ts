/** `waypost device …` */
import type { DeviceRow } from '../control/rows.ts'
import { printable } from '../printable.ts'
import { argument, type Command } from './command.ts'
import { table, timeText } from './layout.ts'

const USER = { name: 'USER', about: 'User id' }
const DEVICE = { name: 'DEVICE', about: 'MQTT client id' }

export const DEVICE_HEADING = ['DEVICE', 'STATE', 'TAKES MAIL', 'LAST SEEN']

/** The cells of a device, below `DEVICE_HEADING`. */
export function deviceCells(device: DeviceRow): string[] {
  const state = device.connected ? 'connected' : 'away'
  return [
    device.id,
    device.revoked ? 'revoked' : state,
    device.takesMail ? 'yes' : 'no',
    timeText(device.lastSeen.at),
  ]
}

const list: Command = {
  words: ['device', 'list'],
  about: 'List the devices of a user',
  args: [USER],
  flags: [],
  takesKeys: false,
  async run(call) {
    const devices = await call.perform('device.list', { id: argument(call, 'USER') })
    const text = () => `${table(DEVICE_HEADING, devices.map(deviceCells), 'no devices yet')}\n`
    call.print(devices, text)
  },
}

const revoke: Command = {
  words: ['device', 'revoke'],
  about: 'Disconnect a device, refuse it from now on, and keep no mail for it',
  args: [USER, DEVICE],
  flags: [],
  takesKeys: false,
  async run(call) {
    const input = { user: argument(call, 'USER'), device: argument(call, 'DEVICE') }
    const { user, device } = await call.perform('device.revoke', input)
    call.print({ user, device }, () => `device ${printable(device)} of ${user} revoked\n`)
  },
}

const allow: Command = {
  words: ['device', 'allow'],
  about: 'Take back the revocation of a device',
  args: [USER, DEVICE],
  flags: [],
  takesKeys: false,
  async run(call) {
    const input = { user: argument(call, 'USER'), device: argument(call, 'DEVICE') }
    const { user, device } = await call.perform('device.allow', input)
    call.print({ user, device }, () => `device ${printable(device)} of ${user} allowed\n`)
  },
}

export const DEVICE_COMMANDS: readonly Command[] = [list, revoke, allow]
