/**
 * The log of a relay: pino's core with a destination of our own. Text for people, one line a
 * record; pino's JSON for programs. Under journald a text line begins with its priority and has
 * no time, because the journal adds that. Nothing from outside can break out of its line.
 */
import { pino } from 'pino'
import { RelayError } from './errors.ts'
import { LIMITS } from './limits.ts'
import { printable } from './printable.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

type Write = (fields: object, text: string) => void

/** What the parts of a relay log through; `text` is a sentence, `fields` its particulars. */
export type Log = { readonly [Level in LogLevel]: Write }

export type LogOptions = {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  readonly stream: { write(line: string): unknown }
  readonly isUnderJournald: boolean
}

/** sd-daemon(3): the priority prefix that journald understands. */
const PRIORITIES: Readonly<Record<string, string>> = {
  debug: '<7>',
  info: '<6>',
  warn: '<4>',
  error: '<3>',
}

export function createLog(options: LogOptions): Log {
  const shape = options.format === 'json' ? jsonLine : textLine(options.isUnderJournald)
  const settings = {
    level: options.level,
    base: null,
    formatters: { level: (level: string) => ({ level }) },
    serializers: { error: described },
  }
  return pino(settings, { write: (record: string) => options.stream.write(shape(record)) })
}

/** An error as fields. The stack only of what nobody expected: the others say what they mean. */
function described(error: unknown): unknown {
  if (error instanceof RelayError) return { code: error.code, message: error.message }
  if (error instanceof Error) return { message: error.message, stack: error.stack }
  return error
}

function jsonLine(record: string): string {
  const line = record.trimEnd()
  if (line.length <= LIMITS.logLineCharsMax) return `${printable(line)}\n`
  // Half a record is no JSON, so a record that is too long keeps its head alone.
  const { level, time, msg } = JSON.parse(line) as Record<string, unknown>
  const text = String(msg).slice(0, LIMITS.logLineCharsMax / 2)
  return `${printable(JSON.stringify({ level, time, msg: text, isCut: true }))}\n`
}

function textLine(isUnderJournald: boolean): (record: string) => string {
  return (record) => {
    const { level, time, msg, ...fields } = JSON.parse(record) as Record<string, unknown>
    const name = String(level)
    const head = isUnderJournald
      ? (PRIORITIES[name] ?? '')
      : `${new Date(Number(time)).toISOString()} ${name.padEnd(5)} `
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`)
    const line = printable(`${head}${String(msg)}${pairs.join('')}`)
    return line.length > LIMITS.logLineCharsMax
      ? `${line.slice(0, LIMITS.logLineCharsMax)}…\n`
      : `${line}\n`
  }
}

/** Plain words as they are; everything else as JSON, so that a value cannot look like a field. */
function valueText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}
