/**
 * What a command is: data from which it is found, parsed and explained, and a function that runs
 * it. Everything that it may touch comes in through the call.
 */
import type { Clock } from '../clock.ts'
import type { LoadedConfig } from '../config/config.ts'
import type { Perform } from '../control/operations.ts'
import type { RelayModule } from './relay-face.ts'

/** A word that has to be given, `NAME` in help texts. */
export type Argument = { readonly name: string; readonly about: string }

/** `--name`, or `--name VALUE`. */
export type Flag = {
  readonly name: string
  /** What stands for the value in help texts; without it the flag takes none. */
  readonly value?: string
  /** The values that are allowed, where they can be counted. */
  readonly choices?: readonly string[]
  readonly about: string
}

export type Command = {
  /** `user add`, or `status`. */
  readonly words: readonly [noun: string, verb?: string]
  readonly about: string
  readonly args: readonly Argument[]
  readonly flags: readonly Flag[]
  /** Whether every key of the configuration is a flag, not only `--data-dir`. */
  readonly takesKeys: boolean
  run(call: Call): Promise<void>
}

/** What was typed after the words of a command. */
export type Given = {
  readonly args: ReadonlyMap<string, string>
  /** By name; `''` for a flag without value. */
  readonly flags: ReadonlyMap<string, string>
}

/** One command that is being run. */
export type Call = Given & {
  readonly world: World
  readonly perform: Perform
  load(): Promise<LoadedConfig>
  /** Puts the result on stdout: as JSON where `--json` asks for it, else as `text` says it. */
  print(result: unknown, text: () => string): void
}

/** The process around the command line. */
export type World = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workingDir: string
  readonly hostName: string
  /** How people call this program: `waypost`. */
  readonly program: string
  readonly clock: Clock
  /** Results. */
  out(text: string): void
  /** Talk. */
  err(text: string): void
  /** What comes on stdin, at most so many bytes. */
  readInput(bytesMax: number): Promise<string>
  /** Calls `run` when the process is asked to end; the returned function takes it back. */
  onStop(run: () => void): () => void
  loadRelay(): Promise<RelayModule>
}

/** The value of an argument; the parser has made sure that there is one. */
export function argument(call: Call, name: string): string {
  return call.args.get(name) ?? ''
}
