/** How results look on a screen: columns, times, sizes, and counts that a person can read. */
import { printable } from '../printable.ts'

const GAP = '  '

/** Rows with their cells below one another. What comes from outside cannot leave its cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map(printable))
  const widths: number[] = []
  for (const row of safe) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  }
  return safe
    .map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(GAP))
    .map((line) => line.trimEnd())
    .join('\n')
}

/** A table with its heading, or `none` where it has no rows. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  return rows.length === 0 ? none : columns([heading, ...rows])
}

/** `45 s`, `12 min`, `5 h 20 min`, `3 d 4 h`. */
export function lengthText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `512 B`, `12.4 KiB`, `3.0 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  if (bytes < 1024) return `${bytes} B`
  let amount = bytes / 1024
  let unit = units.shift()
  while (amount >= 1024 && units.length > 0) {
    amount /= 1024
    unit = units.shift()
  }
  return `${amount.toFixed(1)} ${unit}`
}

/** `1,204`. */
export function countText(count: number): string {
  return count.toLocaleString('en-US')
}

/** `2026-11-24 08:15:00Z` of an ISO time. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.[0-9]+Z$/, 'Z')
}
