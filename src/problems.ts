/** What an operator should know of the relay now, and the mend. */
import type { ClockQuality } from './clock.ts'
import type { Problem } from './control/parts.ts'
import type { Store } from './store/store.ts'

export type Signs = {
  readonly store: Pick<Store, 'isFull' | 'report'>
  readonly quality: ClockQuality
  /** Whether another program has the port for MQTT over TLS. */
  readonly isTlsMissing: boolean
}

export function problemsOf({ store, quality, isTlsMissing }: Signs): Problem[] {
  const problems: Problem[] = store.report.damages.map(({ text }) => ({
    what: text,
    mend: 'the relay went on without it; replace the disk if this comes again',
  }))
  if (store.isFull) {
    const what = 'the disk is full: new messages are refused, delivery goes on'
    problems.push({ what, mend: 'make room on the disk, or wait until mail is delivered' })
  }
  if (isTlsMissing) {
    const what = 'mqtt.tls_port is in use by another program: there is no MQTT over TLS'
    problems.push({
      what,
      mend: 'stop that program or set another mqtt.tls_port, then start again',
    })
  }
  if (quality === 'none') {
    const what = 'the clock is not set: times in lists and receipts are wrong'
    problems.push({ what, mend: 'set the clock; nothing expires early meanwhile' })
  }
  return problems
}
