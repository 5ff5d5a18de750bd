/**
 * What a MANIFEST says (version_edit.cc of LevelDB): a list of edits, each with numbered fields,
 * which together name the tables that count and the oldest log that does. A folder may hold others
 * beside them, half made by a compaction that was interrupted or not deleted yet.
 */
import { readVarint } from './snappy.ts'

export type Manifest = {
  /** File numbers of the tables that count. */
  readonly tables: ReadonlySet<number>
  /** Logs before this one have been taken over into tables. */
  readonly oldestLog: number
}

/** Field numbers, and what follows each: `n` a number, `s` a length and as many bytes. */
const FIELDS: Readonly<Record<number, string>> = {
  1: 's', // comparator
  2: 'n', // oldest log
  3: 'n', // next file
  4: 'n', // last sequence
  5: 'ns', // compaction pointer: level, key
  6: 'nn', // table deleted: level, number
  7: 'nnnss', // table added: level, number, bytes, smallest key, largest key
  9: 'n', // the log before the oldest one
}
const [OLDEST_LOG, DELETED, ADDED] = [2, 6, 7] as const

/** The sum of all edits; `undefined` where one cannot be read. */
export function readManifest(records: readonly Buffer[]): Manifest | undefined {
  const tables = new Set<number>()
  let oldestLog = 0
  for (const record of records) {
    for (let at = 0; at < record.length; ) {
      const field = readField(record, at)
      if (field === undefined) return undefined
      const [first = 0, second = 0] = field.numbers
      if (field.tag === OLDEST_LOG) oldestLog = first
      if (field.tag === DELETED) tables.delete(second)
      if (field.tag === ADDED) tables.add(second)
      at = field.end
    }
  }
  return { tables, oldestLog }
}

type Field = { readonly tag: number; readonly numbers: number[]; readonly end: number }

function readField(record: Buffer, start: number): Field | undefined {
  const [tag, first] = readVarint(record, start)
  const shape = FIELDS[tag]
  if (shape === undefined) return undefined
  const numbers: number[] = []
  let end = first
  for (const kind of shape) {
    const [value, next] = readVarint(record, end)
    end = kind === 's' ? next + value : next
    if (kind === 'n') numbers.push(value)
  }
  return end > record.length ? undefined : { tag, numbers, end }
}
