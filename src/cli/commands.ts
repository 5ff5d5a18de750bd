/** All commands, in the order in which help shows them. */
import type { Command } from './command.ts'
import { CONFIG_COMMAND } from './config.ts'
import { DEVICE_COMMANDS } from './device.ts'
import { MESSAGE_COMMANDS } from './message.ts'
import { RUN_COMMAND } from './run.ts'
import { STATUS_COMMAND } from './status.ts'
import { THING_COMMANDS } from './thing.ts'
import { USER_COMMANDS } from './user.ts'
import { VERSION_COMMAND } from './version.ts'

export const COMMANDS: readonly Command[] = [
  RUN_COMMAND,
  STATUS_COMMAND,
  CONFIG_COMMAND,
  VERSION_COMMAND,
  ...USER_COMMANDS,
  ...DEVICE_COMMANDS,
  ...THING_COMMANDS,
  ...MESSAGE_COMMANDS,
]
