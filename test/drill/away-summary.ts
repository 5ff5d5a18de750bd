/** The lines that an away drill prints, and whether every promise was kept. */
import type { AwayResult, AwayTask } from './away.ts'
import { awayViolations } from './away-checks.ts'
import { violations } from './checks.ts'

/** Whether each device got everything in order and once, and the sender all receipts, once. */
export function isDelivered(result: AwayResult, { messages }: AwayTask): boolean {
  return (
    result.failure === undefined &&
    result.counts.acknowledged === messages &&
    violations(result.counts) + awayViolations(result.counts) + result.cameLate === 0 &&
    result.remarks.length === 0
  )
}

/** Whether the store was back to its size in time. */
export function isSmallAgain({ store }: AwayResult): boolean {
  return store.ms !== undefined
}

/** A line for the task, one for each promise, and then what went wrong. */
export function awayLines(result: AwayResult, task: AwayTask): string {
  const { counts, kills, store, cameLate, ms, failure, remarks } = result
  const rows: readonly (readonly [string, string])[] = [
    ['kills while sending, draining', `${kills.sending}, ${kills.draining}`],
    ['acknowledged, refused', `${counts.acknowledged}, ${counts.refused}`],
    ['lost, damaged, out of order', `${counts.lost}, ${counts.damaged}, ${counts.outOfOrder}`],
    ['twice in a connection', `${counts.doubled}`],
    ['again after a kill (allowed)', `${counts.redelivered}`],
    ['again though acknowledged', `${counts.arrivedAfterReceipt}`],
    ['after all should be there', `${cameLate}`],
    ['stored missing', `${counts.storedMissing}`],
    ['delivered missing, of a device', `${counts.deviceReceiptsMissing}`],
    ['delivered missing, of all', `${counts.receiptsMissing}`],
    ['receipts early, bad', `${counts.receiptsEarly}, ${counts.receiptsBad}`],
    ['receipts twice', `${counts.receiptsDoubled}`],
    ['receipts again (allowed)', `${counts.receiptsRedelivered}`],
    ['store before, full, after', [store.before, store.full, store.after].map(kib).join(', ')],
    ['store back after', store.ms === undefined ? 'not in time' : `${seconds(store.ms)} s`],
  ]
  const table = rows.map(([label, value]) => `  ${label.padEnd(32)}${value}`)
  const head = `away messages=${task.messages} kills=${task.kills} seed=${task.seed} in ${seconds(ms)} s`
  const end = failure === undefined ? remarks : [`failure: ${failure}`, ...remarks]
  return `${[head, ...table, ...end].join('\n')}\n`
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
