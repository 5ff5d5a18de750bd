/** The time now, as it is written into messages, receipts and records. */
import type { Clock } from '../clock.ts'
import type { Stamp } from '../message/message.ts'

export function stampNow(clock: Pick<Clock, 'wallMs' | 'quality'>): Stamp {
  return { atMs: clock.wallMs(), clock: clock.quality() }
}
