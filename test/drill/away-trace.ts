/** What the relay itself knows of messages whose sender was never told that all devices have them. */
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import { RECIPIENT, SENDER } from './away-cast.ts'
import type { Ledger } from './ledger.ts'
import { topicOf } from './mail.ts'

/** A few are enough to begin a search with. */
const TRACES_MAX = 5

/** The traces of the first such messages, or why there is none. @throws Error where no relay runs */
export async function traceUntold(ledger: Ledger, dataDir: string): Promise<string[]> {
  const told = new Set(
    ledger.receipts
      .get(SENDER)
      ?.filter(({ status, isAggregate }) => status === 'delivered' && isAggregate)
      .map(({ seq }) => seq),
  )
  const untold = [...(ledger.sent.get(SENDER)?.keys() ?? [])].filter((seq) => !told.has(seq))
  const traces: string[] = []
  for (const seq of untold.slice(0, TRACES_MAX)) {
    const id = topicOf(SENDER, RECIPIENT, seq).split('/').at(-1)
    const request = { op: 'message.trace', input: { id } }
    const socket = await reachRelay(dataDir)
    const trace = await askRelay(socket, request, systemClock).then(JSON.stringify, String)
    traces.push(`trace of ${id}: ${trace}`)
  }
  return traces
}
