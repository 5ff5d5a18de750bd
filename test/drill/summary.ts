/** The lines that a drill prints. */
import { type Counts, violations } from './checks.ts'
import type { DamageResult } from './damage-drill.ts'
import type { DrillResult } from './drill.ts'

/** Whether a drill found nothing wrong. */
export function isClean(result: DrillResult): boolean {
  return (
    result.failure === undefined && result.remarks.length === 0 && violations(result.counts) === 0
  )
}

/** One line: the fault, the seed, and every count by name. */
export function summaryLine(
  what: { readonly broker: string; readonly fault: string; readonly seed: number; ms: number },
  result: DrillResult,
): string {
  const counts = Object.entries(result.counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' ')
  const opened = result.failure === undefined ? 'openFailures=0' : 'openFailures=1'
  const seconds = (what.ms / 1000).toFixed(1)
  return `${what.broker} ${what.fault}s=${result.faults} seed=${what.seed} ${counts} ${opened} in ${seconds} s`
}

/** The same for a damage drill; what was lost is named unless it is counted as silent. */
export function damageLine(
  result: DamageResult,
  what: { readonly seed: number; ms: number },
): string {
  const { lost, remarks: _, ...stores } = result
  const counts = [...Object.entries(stores), ...Object.entries(lost)]
    .map(([name, count]) => `${name}=${count}`)
    .join(' ')
  return `Waypost damage seed=${what.seed} ${counts} in ${(what.ms / 1000).toFixed(1)} s`
}

const ROWS: readonly (readonly [string, keyof Counts])[] = [
  ['messages acknowledged', 'acknowledged'],
  ['acknowledged but lost', 'lost'],
  ['out of order', 'outOfOrder'],
  ['doubled', 'doubled'],
  ['redelivered after a cut', 'redelivered'],
  ['receipts missing', 'receiptsMissing'],
]

/** The counts of several brokers side by side; rows in a fixed order. */
export function table(
  results: readonly { readonly broker: string; readonly result: DrillResult }[],
): string {
  const header = ['', ...results.map((one) => one.broker)]
  const faults = ['faults', ...results.map((one) => String(one.result.faults))]
  const rows = ROWS.map(([label, key]) => [
    label,
    ...results.map((one) => String(one.result.counts[key])),
  ])
  return [header, faults, ...rows]
    .map(([label = '', ...cells]) =>
      [label.padEnd(26), ...cells.map((c) => c.padStart(12))].join(''),
    )
    .join('\n')
}
