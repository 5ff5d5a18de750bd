/**
 * Makes a LevelDB folder out of everything that is sound in a damaged one. LevelDB's own repair
 * builds a new MANIFEST from tables and logs, but believes what it reads; so it is given sound
 * files only. What can be read of a damaged table is handed over as a log, entry by entry, each
 * with the sequence number that it had.
 */
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repairFolder } from './database.ts'
import { levelFiles } from './folder.ts'
import { type FileFound, faultOf, inspectFile } from './inspect.ts'
import { writeLog } from './level-log.ts'
import { entriesOf, type Handle, type TableEntry } from './level-table.ts'

/** Makes folder `to` from what is sound in `from`. False where nothing is. */
export async function salvageFolder(from: string, to: string): Promise<boolean> {
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { mode: 0o700 })
  let files = 0
  for (const name of await levelFiles(from)) {
    const found = await inspectFile(from, name)
    if (found.kind === 'guide' || found.kind === 'lost') continue
    if (isWhole(found)) await linkOrCopy(join(from, name), join(to, name))
    else await salvageFile(from, to, found)
    files += 1
  }
  if (files > 0) await repairFolder(to)
  return files > 0
}

/** A torn log is sound for LevelDB, but its repair would read on into what is torn. */
function isWhole(found: FileFound): boolean {
  return faultOf(found) === undefined && !(found.kind === 'log' && found.log.isTorn)
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async () => writeFile(to, await readFile(from), { mode: 0o600 }))
}

async function salvageFile(from: string, to: string, found: FileFound): Promise<void> {
  if (found.kind === 'log') {
    await writeFile(join(to, found.name), writeLog(found.log.records), { mode: 0o600 })
  } else if (found.kind === 'table') {
    const file = await readFile(join(from, found.name))
    const records = recordsOf(file, found.table.sound)
    const name = found.name.replace(/\.\w+$/, '.log')
    await writeFile(join(to, name), writeLog(records), { mode: 0o600 })
  }
}

function* recordsOf(file: Buffer, blocks: readonly Handle[]): Generator<Buffer> {
  for (const block of blocks) for (const entry of entriesOf(file, block)) yield recordOf(entry)
}

const VALUE = 1
const NUMBER_BYTES = 8
const HEAD_BYTES = 12
const VARINT_BYTES_MAX = 5

/** A write batch of one: `sequence, 8 · count, 4 · type, 1 · key · value`, the last two with lengths. */
function recordOf({ internalKey, value }: TableEntry): Buffer {
  const keyBytes = internalKey.length - NUMBER_BYTES
  const type = internalKey[keyBytes] as number
  const record = Buffer.alloc(HEAD_BYTES + 1 + 2 * VARINT_BYTES_MAX + keyBytes + value.length)
  internalKey.copy(record, 0, keyBytes + 1)
  record.writeUInt32LE(1, NUMBER_BYTES)
  record[HEAD_BYTES] = type
  let at = putVarint(record, HEAD_BYTES + 1, keyBytes)
  at += internalKey.copy(record, at, 0, keyBytes)
  if (type === VALUE) {
    at = putVarint(record, at, value.length)
    at += value.copy(record, at)
  }
  return record.subarray(0, at)
}

function putVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128
  bytes[at++] = rest
  return at
}
