/** Help texts, made from what commands say of themselves. */

import type { Command, Flag } from './command.ts'
import { columns } from './layout.ts'

const OUTLINE = `Waypost is an MQTT broker that also is a post office: what it acknowledges, it delivers.`

const EXITS = 'Exit codes: 0 done, 1 failed, 2 usage, 69 relay not reachable, 78 configuration.'

/** All commands, or those of one noun. */
export function commandsHelp(
  program: string,
  commands: readonly Command[],
  noun: string | undefined,
): string {
  const listed = commands.filter(({ words }) => noun === undefined || words[0] === noun)
  const lines = listed.map((command) => [`  ${usageOf(command)}`, command.about])
  return [
    ...(noun === undefined ? [OUTLINE, ''] : []),
    `usage: ${program} ${noun ?? 'NOUN'} ${noun === undefined ? '[VERB]' : 'VERB'} [FLAGS]`,
    '',
    columns(lines),
    '',
    `Each has --help and --json. ${EXITS}`,
    '',
  ].join('\n')
}

/** One command with its arguments and flags. */
export function commandHelp(program: string, command: Command, flags: readonly Flag[]): string {
  const args = command.args.map(({ name, about }) => [`  ${name}`, about])
  return [
    `usage: ${program} ${usageOf(command)} [FLAGS]`,
    '',
    `${command.about}.`,
    '',
    ...(args.length === 0 ? [] : [columns(args), '']),
    columns(flags.map((flag) => [`  ${flagUsage(flag)}`, flag.about])),
    '',
  ].join('\n')
}

function usageOf({ words, args }: Command): string {
  return [...words, ...args.map(({ name }) => name)].join(' ')
}

function flagUsage({ name, value, choices }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${choices?.join('|') ?? value}`
}
