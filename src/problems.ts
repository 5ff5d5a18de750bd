/** What an operator should know of the relay now, and the mend. */
import type { ClockQuality } from './clock.ts'
import type { Problem } from './control/parts.ts'
import type { Store } from './store/store.ts'

export function problemsOf(
  store: Pick<Store, 'isFull' | 'report'>,
  quality: ClockQuality,
): Problem[] {
  const problems: Problem[] = store.report.damages.map(({ text }) => ({
    what: text,
    mend: 'the relay went on without it; replace the disk if this comes again',
  }))
  if (store.isFull) {
    const what = 'the disk is full: new messages are refused, delivery goes on'
    problems.push({ what, mend: 'make room on the disk, or wait until mail is delivered' })
  }
  if (quality === 'none') {
    const what = 'the clock is not set: times in lists and receipts are wrong'
    problems.push({ what, mend: 'set the clock; nothing expires early meanwhile' })
  }
  return problems
}
