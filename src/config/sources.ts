/** The sources beside the file: environment variables, flags, and what this machine defaults to. */
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'
import { complaintAbout, invalid, type Setting, type Settings } from './check.ts'
import { flagOf, KEY_PATHS, KEYS, type KeyPath, variableOf } from './keys.ts'
import { nearest } from './nearest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const NAME_CHARS_MAX = 63

/**
 * Settings from variables `WAYPOST_…`; what is no text is written as JSON.
 * @throws CONFIG_INVALID for an ill-typed or unknown one
 */
export function environmentSettings(env: Environment): Settings {
  const paths = new Map(KEY_PATHS.map((path) => [variableOf(path), path]))
  const settings = new Map<KeyPath, Setting>()
  for (const [variable, written] of Object.entries(env)) {
    if (!variable.startsWith('WAYPOST_') || written === undefined) continue
    const path = paths.get(variable)
    if (path === undefined) throw unknownVariable(variable, paths.keys())
    settings.set(path, { value: valueFrom(written, path, variable), origin: variable })
  }
  return settings
}

/**
 * Settings from flags, by key; what is no text is written as JSON.
 * @throws CONFIG_INVALID for an ill-typed one
 */
export function flagSettings(flags: ReadonlyMap<KeyPath, string>): Settings {
  const settings = new Map<KeyPath, Setting>()
  for (const [path, written] of flags) {
    const flag = `--${flagOf(path)}`
    settings.set(path, { value: valueFrom(written, path, flag), origin: flag })
  }
  return settings
}

/** What holds where no source sets a key: the table's defaults, fitted to this machine. */
export function defaultSettings(env: Environment, hostName: string): Settings {
  const settings = new Map<KeyPath, Setting>(
    KEY_PATHS.map((path) => [path, { value: KEYS[path].fallback, origin: 'default' }]),
  )
  const name = hostName.slice(0, NAME_CHARS_MAX)
  settings.set('relay.name', { value: name, origin: 'host name' })
  // systemd.exec(5): StateDirectory= may name several, separated by colons.
  const directory = env['STATE_DIRECTORY']?.split(':')[0]
  if (directory !== undefined && directory !== '') {
    settings.set('data_dir', { value: directory, origin: 'STATE_DIRECTORY' })
  }
  return settings
}

function valueFrom(written: string, path: KeyPath, place: string): unknown {
  const complaint = complaintAbout(path, written)
  if (complaint === undefined) return written
  const value = fromJson(written)
  const second = complaintAbout(path, value)
  if (second === undefined) return value
  throw invalid(place, path, second)
}

/** The value of JSON; other text as it is. */
function fromJson(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    return written
  }
}

function unknownVariable(variable: string, known: Iterable<string>): RelayError {
  const variables = [...known]
  const meant = nearest(variable, variables)
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  return new RelayError(
    'CONFIG_INVALID',
    `${shown(variable)} is no variable of Waypost${hint}; ${variables.join(', ')} are allowed`,
  )
}
