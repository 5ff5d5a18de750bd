/** The command line: what was typed in, an exit code out. Loads only what the command needs. */
import type { Config, LoadedConfig } from '../config/config.ts'
import type { KeyPath } from '../config/keys.ts'
import type { Perform } from '../control/operations.ts'
import { RelayError } from '../errors.ts'
import { printable } from '../printable.ts'
import { findCommand, readArguments } from './arguments.ts'
import type { Call, Command, Flag, Given, World } from './command.ts'
import { commandHelp, commandsHelp } from './help.ts'
import { performOn } from './session.ts'

const CONFIG: Flag = { name: 'config', value: 'FILE', about: 'Configuration file' }
const DATA_DIR: Flag = { name: 'data-dir', value: 'DIR', about: 'Where users and mail are kept' }
const JSON_FLAG: Flag = { name: 'json', about: 'Print the result as JSON' }
const HELP: Flag = { name: 'help', about: 'Show this help' }

/** Runs what was typed. @returns the exit code */
export async function runProgram(
  argv: readonly string[],
  commands: readonly Command[],
  world: World,
): Promise<number> {
  try {
    const found = findCommand(argv[0] === '--version' ? ['version'] : argv, commands)
    if (found.kind === 'help') world.out(commandsHelp(world.program, commands, found.noun))
    else await runCommand(found.command, found.rest, world)
    return 0
  } catch (error) {
    world.err(`waypost: ${explained(error).map(printable).join('\n')}\n`)
    return error instanceof RelayError ? error.facts.exit : 1
  }
}

async function runCommand(command: Command, rest: readonly string[], world: World): Promise<void> {
  const keys = await keyFlags(command)
  const own = command.flags
  const flags = [
    ...own,
    CONFIG,
    ...(command.takesKeys ? [] : [DATA_DIR]),
    ...keys.keys(),
    JSON_FLAG,
    HELP,
  ]
  if (asksForHelp(rest)) world.out(commandHelp(world.program, command, flags))
  else await command.run(callOf(readArguments(command, flags, rest), world, keys))
}

function asksForHelp(rest: readonly string[]): boolean {
  const end = rest.indexOf('--')
  const flags = end < 0 ? rest : rest.slice(0, end)
  return flags.includes('--help') || flags.includes('-h')
}

/** The flags that are keys of the configuration, for the commands that take all of them. */
async function keyFlags(command: Command): Promise<Map<Flag, KeyPath>> {
  if (!command.takesKeys) return new Map()
  const { flagOf, KEY_PATHS, KEYS } = await import('../config/keys.ts')
  return new Map(
    KEY_PATHS.map((path) => {
      const { about, allowed } = KEYS[path]
      return [{ name: flagOf(path), value: 'VALUE', about: `${about}: ${allowed}` }, path]
    }),
  )
}

function callOf(given: Given, world: World, keys: ReadonlyMap<Flag, KeyPath>): Call {
  const load = async (): Promise<LoadedConfig> => loadGiven(given, world, keys)
  const perform = async (name: string, input: unknown) => {
    const { config }: { config: Config } = await load()
    return performOn(world, config, name as Parameters<Perform>[0], input)
  }
  return {
    ...given,
    world,
    load,
    // A relay of this version answers with what the table of operations says.
    perform: perform as Perform,
    print: (result, text) =>
      world.out(given.flags.has('json') ? `${JSON.stringify(result)}\n` : text()),
  }
}

async function loadGiven(
  { flags }: Given,
  world: World,
  keys: ReadonlyMap<Flag, KeyPath>,
): Promise<LoadedConfig> {
  const [{ loadConfig }, { readText }] = await Promise.all([
    import('../config/config.ts'),
    import('../config/read-text.ts'),
  ])
  const paths = new Map([...keys].map(([{ name }, path]) => [name, path]))
  const set = new Map<KeyPath, string>()
  for (const [name, value] of flags) {
    const path = name === DATA_DIR.name ? 'data_dir' : paths.get(name)
    if (path !== undefined) set.set(path, value)
  }
  const { env, hostName, workingDir } = world
  return loadConfig({
    flags: set,
    env,
    file: flags.get(CONFIG.name),
    readText,
    hostName,
    workingDir,
  })
}

/** One line for what an operator can mend; for anything else, the place in the code as well. */
function explained(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const isPlain = error instanceof RelayError || 'syscall' in error
  return isPlain ? [error.message] : (error.stack ?? error.message).split('\n')
}
