/**
 * Checks the files of a LevelDB folder before LevelDB sees them. LevelDB does not check what it
 * reads: a changed byte in a filter or an index makes keys invisible, one in a block can end the
 * process. Its files have the checksums for it, so they are checked here.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { levelFiles } from './folder.ts'
import { type LogContent, readLog } from './level-log.ts'
import { type Manifest, readManifest } from './level-manifest.ts'
import { checkTable, type TableContent } from './level-table.ts'

export type FileFound =
  | { readonly kind: 'table'; readonly name: string; readonly table: TableContent }
  | { readonly kind: 'log'; readonly name: string; readonly log: LogContent }
  /** The disk does not give it. */
  | { readonly kind: 'lost'; readonly name: string }
  /** MANIFEST and CURRENT: what LevelDB knows of its own files, and can make anew. */
  | { readonly kind: 'guide'; readonly name: string; readonly isSound: boolean }

/** Checks one file of a LevelDB folder. */
export async function inspectFile(folder: string, name: string): Promise<FileFound> {
  const file = await readFile(join(folder, name)).catch(() => undefined)
  if (file === undefined) return { kind: 'lost', name }
  if (/\.(ldb|sst)$/.test(name)) return { kind: 'table', name, table: checkTable(file) }
  if (name.endsWith('.log')) return { kind: 'log', name, log: readLog(file) }
  return { kind: 'guide', name, isSound: name === 'CURRENT' ? isPointer(file) : isManifest(file) }
}

function isPointer(file: Buffer): boolean {
  return /^MANIFEST-\d+\n$/.test(file.toString('latin1'))
}

function isManifest(file: Buffer): boolean {
  const { records, holes } = readLog(file)
  return records.length > 0 && holes === 0
}

/** What is wrong with a file, as a sentence; `undefined` for a sound one. */
export function faultOf(found: FileFound): string | undefined {
  if (found.kind === 'lost') return `${found.name}: the disk cannot read it`
  if (found.kind === 'guide') return found.isSound ? undefined : `${found.name} cannot be read`
  if (found.kind === 'log') {
    const { holes, records } = found.log
    if (holes === 0) return undefined
    return `${found.name}: ${holes} stretches between ${records.length} commits cannot be read; values may be older than they should be`
  }
  const { badBlocks, blocks, isFrameSound } = found.table
  if (badBlocks === 0 && isFrameSound) return undefined
  if (badBlocks === 0)
    return `${found.name}: its index or filter is damaged, ${blocks} blocks can be read; values may be older than they should be`
  return `${found.name}: ${badBlocks} of ${blocks} blocks cannot be read; values may be older than they should be`
}

/** What is wrong with a folder; nothing for a sound one or one that LevelDB has yet to fill. */
export async function inspectFolder(folder: string): Promise<string[]> {
  const names = await levelFiles(folder)
  const manifest = await manifestOf(folder)
  const faults: string[] = []
  for (const name of names) {
    const fault = counts(name, manifest) ? faultOf(await inspectFile(folder, name)) : undefined
    if (fault !== undefined) faults.push(fault)
  }
  const hasData = names.some((name) => /\.(ldb|sst|log)$/.test(name))
  if (hasData && !names.includes('CURRENT')) faults.push('CURRENT is missing')
  return faults
}

async function manifestOf(folder: string): Promise<Manifest | undefined> {
  try {
    const name = await readFile(join(folder, 'CURRENT'), 'latin1')
    return readManifest(readLog(await readFile(join(folder, name.trim()))).records)
  } catch {
    // Whatever is wrong with these two is found when they are inspected themselves.
    return undefined
  }
}

/** LevelDB does not look at a table that it half made, or has done with. */
function counts(name: string, manifest: Manifest | undefined): boolean {
  const number = Number.parseInt(name, 10)
  if (manifest === undefined || Number.isNaN(number)) return true
  return name.endsWith('.log') ? number >= manifest.oldestLog : manifest.tables.has(number)
}
