/** Moments as people type them. */
import { durationS } from '../config/quantity.ts'
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * Milliseconds since 1970 of an ISO 8601 time, or of a duration back from now: `2h`.
 * @param flag what the error names
 * @throws USAGE
 */
export function momentMs(written: string, nowMs: number, flag: string): number {
  const backS = durationS(written)
  if (backS !== undefined) return nowMs - backS * 1000
  const atMs = ISO.test(written) ? Date.parse(written) : Number.NaN
  if (!Number.isNaN(atMs)) return atMs
  const allowed = 'a time like 2026-11-24T08:00Z, or how long ago like 2h'
  throw new RelayError('USAGE', `--${flag}: ${shown(written)} is not allowed, ${allowed} is`)
}
