/** Streams that are given time to close by themselves, and no longer. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'

/** Runs `cut` where a stream has not closed by itself within `lingerMs`. */
export function cutLater(clock: Clock, stream: Duplex, cut: () => void): void {
  if (stream.closed) return
  const cancel = clock.after(LIMITS.lingerMs, cut)
  stream.once('close', cancel)
}
