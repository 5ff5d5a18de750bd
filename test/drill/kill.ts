/** The fault of a process that dies: SIGKILL, no warning, everything written stays. */
import type { Broker } from './broker.ts'
import type { Fault } from './drill.ts'

export const killFault: Fault = {
  // The clients stay: an acknowledgement that had left before the kill is still heard, and counts.
  strike: (broker: Broker) => broker.kill(),
}
