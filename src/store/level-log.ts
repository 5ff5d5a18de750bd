/**
 * LevelDB's log format (doc/log_format.md of LevelDB), in which both the write-ahead log and the
 * MANIFEST are written: blocks of 32 KiB, in them pieces
 *
 *     masked CRC-32C of type and bytes, 4 · length, 2 · type, 1 · bytes
 *
 * with the types whole 1, first 2, middle 3, last 4. Numbers are little endian.
 */
import { maskedCrc32c } from './crc32c.ts'

const BLOCK_BYTES = 32_768
const HEAD_BYTES = 7
const [WHOLE, FIRST, MIDDLE, LAST] = [1, 2, 3, 4] as const

export type LogContent = {
  /** The records that are whole, in order. */
  readonly records: Buffer[]
  /** Stretches that cannot be read although something sound comes after them. */
  readonly holes: number
  /** Whether the end cannot be read: an interrupted write looks so, and a damaged last record. */
  readonly isTorn: boolean
}

type Piece = { readonly type: number; readonly bytes: Buffer } | 'bad'

/** Everything that can be read of a log file. */
export function readLog(file: Buffer): LogContent {
  const records: Buffer[] = []
  let pieces: Buffer[] = []
  let holes = 0
  let isBad = false
  for (const piece of piecesOf(file)) {
    if (piece === 'bad') {
      isBad = true
      pieces = []
      continue
    }
    const { type, bytes } = piece
    const isStart = type === WHOLE || type === FIRST
    // A start within a record, or a rest without a start, is the edge of a hole.
    if (isBad || isStart !== (pieces.length === 0)) {
      if (isBad || isStart) holes += 1
      else if (holes === 0) holes = 1
      isBad = false
      pieces = []
      if (!isStart) continue
    }
    pieces.push(bytes)
    if (type === WHOLE || type === LAST) {
      records.push(pieces.length === 1 ? bytes : Buffer.concat(pieces))
      pieces = []
    }
  }
  return { records, holes, isTorn: isBad || pieces.length > 0 }
}

function* piecesOf(file: Buffer): Generator<Piece> {
  for (let start = 0; start < file.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, file.length)
    let at = start
    while (at + HEAD_BYTES <= end) {
      const length = file.readUInt16LE(at + 4)
      const type = file[at + 6] as number
      const next = at + HEAD_BYTES + length
      const isSound =
        type >= WHOLE &&
        type <= LAST &&
        next <= end &&
        maskedCrc32c(file, at + 6, next) === file.readUInt32LE(at)
      if (!isSound) break
      yield { type, bytes: file.subarray(at + HEAD_BYTES, next) }
      at = next
    }
    // Less than a head is left over at the end of each block, as zeros.
    const rest = file.subarray(at, end)
    if (rest.length >= HEAD_BYTES || rest.some((byte) => byte !== 0)) yield 'bad'
  }
}

/** A log file with these records. */
export function writeLog(records: Iterable<Uint8Array>): Buffer {
  const parts: Uint8Array[] = []
  let used = 0
  for (const record of records) {
    for (let at = 0, isFirst = true; isFirst || at < record.length; isFirst = false) {
      if (BLOCK_BYTES - used < HEAD_BYTES) {
        parts.push(new Uint8Array(BLOCK_BYTES - used))
        used = 0
      }
      const bytes = record.subarray(at, at + BLOCK_BYTES - used - HEAD_BYTES)
      at += bytes.length
      parts.push(piece(pieceType(isFirst, at === record.length), bytes))
      used = (used + HEAD_BYTES + bytes.length) % BLOCK_BYTES
    }
  }
  return Buffer.concat(parts)
}

function pieceType(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? WHOLE : FIRST
  return isLast ? LAST : MIDDLE
}

function piece(type: number, bytes: Uint8Array): Buffer {
  const made = Buffer.alloc(HEAD_BYTES + bytes.length)
  made.writeUInt16LE(bytes.length, 4)
  made[6] = type
  made.set(bytes, HEAD_BYTES)
  made.writeUInt32LE(maskedCrc32c(made, 6, made.length), 0)
  return made
}
