/** A password that is typed or piped in, so that it stands in no process list and no history. */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Call, Flag } from './command.ts'

export const PASSWORD_STDIN: Flag = {
  name: 'password-stdin',
  about: 'Read the password from the first line of stdin; without it one is generated',
}

/** Room for the end of the line, in either fashion. */
const END_BYTES = 2

/**
 * `{ password }` where `--password-stdin` is given, else nothing.
 * @throws USAGE for an empty line, or none
 */
export async function passwordOf(call: Call): Promise<{ password?: string }> {
  if (!call.flags.has(PASSWORD_STDIN.name)) return {}
  const input = await call.world.readInput(LIMITS.passwordBytesMax + END_BYTES)
  const [password = ''] = input.split(/\r?\n/, 1)
  if (password !== '') return { password }
  throw new RelayError('USAGE', '--password-stdin: stdin brought no password')
}

/** What is said of a new password: a chosen one is known already. */
export function passwordText(call: Call, password: string): string {
  return call.flags.has(PASSWORD_STDIN.name) ? '' : `password: ${password}\n`
}
