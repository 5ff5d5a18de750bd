/** Finds the command in what was typed, and reads its arguments and flags. */
import { parseArgs } from 'node:util'
import { nearest } from '../config/nearest.ts'
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'
import type { Command, Flag, Given } from './command.ts'

/** What the first words ask for: a command, or help on all of them or on a noun's. */
export type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly rest: readonly string[] }
  | { readonly kind: 'help'; readonly noun: string | undefined }

/** @throws USAGE with the word that was probably meant */
export function findCommand(argv: readonly string[], commands: readonly Command[]): Found {
  const [noun = '', verb = ''] = argv
  if (noun === '--help' || noun === '-h') return { kind: 'help', noun: undefined }
  const ofNoun = commands.filter(({ words }) => words[0] === noun)
  if (ofNoun.length === 0) {
    const nouns = commands.map(({ words }) => words[0])
    const says = noun === '' ? 'a command is missing' : `there is no command ${shown(noun)}`
    throw usage(says + meant(noun, nouns), '')
  }
  const single = ofNoun.find(({ words }) => words[1] === undefined)
  if (single !== undefined) return { kind: 'command', command: single, rest: argv.slice(1) }
  if (verb === '--help' || verb === '-h') return { kind: 'help', noun }
  const command = ofNoun.find(({ words }) => words[1] === verb)
  if (command !== undefined) return { kind: 'command', command, rest: argv.slice(2) }
  const verbs = ofNoun.map(({ words }) => words[1] ?? '')
  const says = verb === '' ? `${noun} needs a verb` : `${noun} has no verb ${shown(verb)}`
  throw usage(`${says}${meant(verb, verbs)}; there are ${verbs.join(', ')}`, noun)
}

/**
 * Reads what follows the words of a command.
 * @param flags all that it takes
 * @throws USAGE
 */
export function readArguments(
  command: Command,
  flags: readonly Flag[],
  rest: readonly string[],
): Given {
  const { tokens, positionals } = parseArgs({
    args: [...rest],
    options: Object.fromEntries(
      flags.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const words = command.words.join(' ')
  const given = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const flag = flags.find(({ name }) => name === token.name)
    if (flag === undefined) {
      const names = flags.map(({ name }) => `--${name}`)
      const hint = meant(`--${token.name}`, names)
      throw usage(`${words} has no flag ${shown(token.rawName)}${hint}`, words)
    }
    if (given.has(flag.name)) throw usage(`--${flag.name} is given twice`, words)
    given.set(flag.name, flagValue(flag, token.value, token.inlineValue === true, words))
  }
  return { args: named(command, positionals, words), flags: given }
}

function flagValue(
  flag: Flag,
  value: string | undefined,
  isInline: boolean,
  words: string,
): string {
  if (flag.value === undefined) {
    if (value === undefined) return ''
    throw usage(`--${flag.name} takes no value`, words)
  }
  // `--data-dir --json` would otherwise make a directory of that name.
  if (value === undefined || (!isInline && /^--?[a-z]/.test(value))) {
    throw usage(`--${flag.name} needs a value: --${flag.name} ${flag.value}`, words)
  }
  if (flag.choices?.includes(value) === false) {
    const says = `${shown(value)} is not allowed, ${flag.choices.join(', ')} are`
    throw usage(`--${flag.name}: ${says}`, words)
  }
  return value
}

function named(command: Command, values: readonly string[], words: string): Map<string, string> {
  const extra = values[command.args.length]
  if (extra !== undefined) throw usage(`${words} cannot use ${shown(extra)}`, words)
  return new Map(
    command.args.map(({ name }, at) => {
      const value = values[at]
      if (value === undefined) throw usage(`${words} needs ${name}`, words)
      return [name, value]
    }),
  )
}

function meant(given: string, words: readonly string[]): string {
  const word = given === '' ? undefined : nearest(given, words)
  return word === undefined ? '' : ` (did you mean ${word}?)`
}

/** @param words the command, or as much of it as is known, whose help can help */
function usage(says: string, words: string): RelayError {
  const help = ['waypost', words, '--help'].filter((part) => part !== '').join(' ')
  return new RelayError('USAGE', `${says}; see ${help}`)
}
