/** The kinds of configuration keys: for each the schema, and the words for what is allowed. */
import Type, { type Static, type TSchema } from 'typebox'
import { durationS, sizeBytes, sizeText } from './quantity.ts'

/** One key: `allowed` completes "… is allowed", `about` stands in help texts. */
export type Key<Schema extends TSchema = TSchema> = {
  readonly schema: Schema
  readonly fallback: Static<Schema>
  readonly allowed: string
  readonly about: string
}

const PORT_MAX = 65_535
const COUNT_MAX = 100_000_000
const DURATION_S_MAX = 3_650 * 86_400

export function key<Schema extends TSchema>(
  schema: Schema,
  fallback: Static<Schema>,
  allowed: string,
  about: string,
): Key<Schema> {
  return { schema, fallback, allowed, about }
}

/** Text that a pattern describes. */
export function text(fallback: string, pattern: string, allowed: string, about: string) {
  return key(Type.String({ pattern }), fallback, allowed, about)
}

export function port(fallback: number, about: string) {
  const schema = Type.Integer({ minimum: 0, maximum: PORT_MAX })
  return key(schema, fallback, `a port from 0 (any free one) to ${PORT_MAX}`, about)
}

export function truth(fallback: boolean, about: string) {
  return key(Type.Boolean(), fallback, 'true or false', about)
}

/** One of some words; the first is the default. */
export function choice<Word extends string>(words: readonly [Word, ...Word[]], about: string) {
  return key(Type.Unsafe<Word>(Type.Enum([...words])), words[0], words.join(' or '), about)
}

export function count(fallback: number, about: string) {
  const schema = Type.Integer({ minimum: 1, maximum: COUNT_MAX })
  return key(schema, fallback, `a whole number from 1 to ${COUNT_MAX}`, about)
}

/** A duration with its unit, or one of `words`; a bare `0` is read as the word. */
export function duration(fallback: string, words: readonly string[], about: string) {
  const schema = Type.Refine(Type.Union([Type.String(), Type.Literal(0)]), (given) => {
    if (words.includes(String(given))) return true
    const seconds = durationS(String(given)) ?? 0
    return seconds > 0 && seconds <= DURATION_S_MAX
  })
  const allowed = ['a time from 1s to 3650d (s, m, h, d)', ...words].join(', or ')
  return key(schema, fallback, allowed, about)
}

/** A number of bytes or a size with its unit, up to `bytesMax`; or one of `words`. */
export function size(fallback: string, bytesMax: number, words: readonly string[], about: string) {
  const schema = Type.Refine(Type.Union([Type.String(), Type.Integer()]), (given) => {
    if (words.includes(String(given))) return true
    const bytes = sizeBytes(given) ?? 0
    return bytes > 0 && bytes <= bytesMax
  })
  const allowed = [`a size from 1B to ${sizeText(bytesMax)} (B, KiB, MiB, GiB)`, ...words]
  return key(schema, fallback, allowed.join(', or '), about)
}
