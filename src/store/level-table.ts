/**
 * LevelDB's table files (doc/table_format.md of LevelDB), as far as they have to be read to check
 * them and to rescue what is sound in a damaged one:
 *
 *     data blocks · filter block · metaindex block · index block · footer, 48
 *
 * A block ends in its compression (0 none, 1 Snappy) and the masked CRC-32C of both. The index
 * says where data blocks are; they follow one another from the first byte, so that even without
 * the index they are found by their checksums.
 */
import { crc32c, maskedCrc32c, unmask } from './crc32c.ts'
import { readVarint, unpackSnappy } from './snappy.ts'

const TRAILER_BYTES = 5
const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const FILTER_NAME = 'filter.'

/** A key as LevelDB keeps it: `key · (sequence << 8 | type)`, 8 bytes, little endian. */
export type TableEntry = { readonly internalKey: Buffer; readonly value: Buffer }

export type TableContent = {
  /** Data blocks that the index names; those found where there is no index. */
  readonly blocks: number
  /** Data blocks that cannot be read. */
  readonly badBlocks: number
  /** Whether index, filter and footer are sound. */
  readonly isFrameSound: boolean
  /** Where the sound data blocks are. */
  readonly sound: readonly Handle[]
}

export type Handle = { readonly at: number; readonly bytes: number }

/** Checks a table file; reads no more of its data than the checksums need. */
export function checkTable(file: Buffer): TableContent {
  const index = indexOf(file)
  if (index === undefined) {
    const sound = [...blocksWithoutIndex(file)]
    return { blocks: sound.length, badBlocks: 0, isFrameSound: false, sound }
  }
  const sound = index.blocks.filter((handle) => isSound(file, handle))
  return {
    blocks: index.blocks.length,
    badBlocks: index.blocks.length - sound.length,
    isFrameSound: isFilterSound(file, index.metaindex),
    sound,
  }
}

/** What is in a sound data block; nothing where it is no data block after all. */
export function entriesOf(file: Buffer, handle: Handle): TableEntry[] {
  const entries = parseBlock(unpack(file, handle)) ?? []
  return entries.every(isDataEntry)
    ? entries.map(({ key, value }) => ({ internalKey: key, value }))
    : []
}

type Index = { readonly metaindex: Handle; readonly blocks: Handle[] }

function indexOf(file: Buffer): Index | undefined {
  const footer = file.subarray(Math.max(0, file.length - FOOTER_BYTES))
  if (footer.length < FOOTER_BYTES || !footer.subarray(-MAGIC.length).equals(MAGIC))
    return undefined
  const [metaindex, next] = readHandle(footer, 0)
  const [handle] = readHandle(footer, next)
  const entries = isSound(file, handle) ? parseBlock(unpack(file, handle)) : undefined
  if (entries === undefined) return undefined
  return { metaindex, blocks: entries.map(({ value }) => readHandle(value, 0)[0]) }
}

function isFilterSound(file: Buffer, metaindex: Handle): boolean {
  const entries = isSound(file, metaindex) ? parseBlock(unpack(file, metaindex)) : undefined
  if (entries === undefined) return false
  return entries.every(
    ({ key, value }) =>
      !key.toString('latin1').startsWith(FILTER_NAME) || isSound(file, readHandle(value, 0)[0]),
  )
}

function readHandle(bytes: Buffer, at: number): [Handle, number] {
  const [offset, next] = readVarint(bytes, at)
  const [length, end] = readVarint(bytes, next)
  return [{ at: offset, bytes: length }, end]
}

function isSound(file: Buffer, { at, bytes }: Handle): boolean {
  const end = at + bytes + 1
  return end + 4 <= file.length && maskedCrc32c(file, at, end) === file.readUInt32LE(end)
}

function unpack(file: Buffer, { at, bytes }: Handle): Buffer | undefined {
  const block = file.subarray(at, at + bytes)
  return file[at + bytes] === 0 ? block : unpackSnappy(block)
}

type BlockEntry = { readonly key: Buffer; readonly value: Buffer }

/** `shared · own · value length, as varints · own part of the key · value`, then the restarts. */
function parseBlock(block: Buffer | undefined): BlockEntry[] | undefined {
  if (block === undefined || block.length < 4) return undefined
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4)
  const entries: BlockEntry[] = []
  let key = Buffer.alloc(0)
  for (let at = 0; at < end; ) {
    const [shared, second] = readVarint(block, at)
    const [own, third] = readVarint(block, second)
    const [bytes, start] = readVarint(block, third)
    if (shared > key.length || start + own + bytes > end) return undefined
    key = Buffer.concat([key.subarray(0, shared), block.subarray(start, start + own)])
    at = start + own + bytes
    entries.push({ key, value: block.subarray(start + own, at) })
  }
  return end < 0 ? undefined : entries
}

const INTERNAL_BYTES = 8
const TYPE_MAX = 1

function isDataEntry({ key }: BlockEntry): boolean {
  return key.length > INTERNAL_BYTES && (key[key.length - INTERNAL_BYTES] as number) <= TYPE_MAX
}

/** Data blocks from the first byte on, as long as one follows another. */
function* blocksWithoutIndex(file: Buffer): Generator<Handle> {
  for (let at = 0; ; ) {
    const handle = blockAt(file, at)
    // After the data comes the filter, which is no list of entries.
    if (handle === undefined || entriesOf(file, handle).length === 0) return
    yield handle
    at += handle.bytes + TRAILER_BYTES
  }
}

/** The block that begins at `at`: it ends where the checksum of all so far is what comes next. */
function blockAt(file: Buffer, at: number): Handle | undefined {
  let crc = 0
  for (let end = at; end + TRAILER_BYTES <= file.length; end += 1) {
    const isCompression = (file[end] as number) <= 1
    if (isCompression && crc32c(file, end, end + 1, crc) === unmask(file.readUInt32LE(end + 1))) {
      return { at, bytes: end - at }
    }
    crc = crc32c(file, end, end + 1, crc)
  }
  return undefined
}
