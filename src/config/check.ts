/** Whether a written value is allowed for its key; if not, where in it and what would be. */
import Schema from 'typebox/schema'
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'
import { KEYS, type KeyPath } from './keys.ts'

/** A checked value and where it was written. */
export type Setting = { readonly value: unknown; readonly origin: string }

/** Everything that one source sets. */
export type Settings = ReadonlyMap<KeyPath, Setting>

/** The place inside a value that is wrong, and what is allowed there. */
export type Complaint = {
  readonly steps: readonly (string | number)[]
  readonly found: unknown
  readonly allowed: string
}

/** What is wrong with `value`, or `undefined`. */
export function complaintAbout(path: KeyPath, value: unknown): Complaint | undefined {
  const { schema, allowed: whole } = KEYS[path]
  if (Schema.Check(schema, value)) return undefined
  const places = Schema.Errors(schema, value)[1].map((error) =>
    error.instancePath.split('/').slice(1),
  )
  // The deepest place says most: a key with a slip, rather than the key that is missing for it.
  const deepest = places.reduce((one, other) => (other.length > one.length ? other : one), [])
  const steps = deepest.map((step) => (/^[0-9]+$/.test(step) ? Number(step) : step))
  let found = value
  let node: unknown = schema
  let allowed: string = whole
  for (const step of steps) {
    found = member(found, step)
    node =
      typeof step === 'number' ? member(node, 'items') : member(member(node, 'properties'), step)
    const words = member(node, 'description')
    if (typeof words === 'string') allowed = words
  }
  return { steps, found, allowed }
}

/** The error for a wrong value: one line that names the place, the key and what is allowed. */
export function invalid(place: string, path: KeyPath, complaint: Complaint): RelayError {
  const steps = complaint.steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  const { found, allowed } = complaint
  const text = typeof found === 'string' ? shown(found) : cut(JSON.stringify(found) ?? 'nothing')
  return new RelayError(
    'CONFIG_INVALID',
    `${place}: ${path}${steps.join('')}: ${text} is not allowed, ${allowed} is`,
  )
}

const FOUND_CHARS_MAX = 80

function cut(text: string): string {
  return text.length > FOUND_CHARS_MAX ? `${text.slice(0, FOUND_CHARS_MAX)}…` : text
}

function member(value: unknown, name: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string | number, unknown>)[name]
}
