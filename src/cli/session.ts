/** Performs an operation on the relay that runs, or on the store itself where none does. */
import type { Config } from '../config/config.ts'
import type { OperationName } from '../control/operations.ts'
import { RelayError } from '../errors.ts'
import type { World } from './command.ts'

/** What only a running relay can answer. */
const LIVE: ReadonlySet<OperationName> = new Set(['status'])

/**
 * @throws RELAY_UNREACHABLE for what only a running relay can answer
 * @throws what the operation itself refuses with
 */
export async function performOn(
  world: World,
  config: Config,
  op: OperationName,
  input: unknown,
): Promise<unknown> {
  const { askRelay, reachRelay } = await import('../control/client.ts')
  const socket = await reachRelay(config.dataDir).catch((error: unknown) => {
    const isAway = error instanceof RelayError && error.code === 'RELAY_UNREACHABLE'
    if (!isAway || LIVE.has(op)) throw error
  })
  if (socket !== undefined) return askRelay(socket, { op, input }, world.clock)
  world.err(`no relay runs on ${config.dataDir}: working on the store itself\n`)
  const [{ Operations }, { createLog }, { openOffline }] = await Promise.all([
    import('../control/operations.ts'),
    import('../log.ts'),
    world.loadRelay(),
  ])
  const stream = { write: (line: string) => world.err(line) }
  const log = createLog({ level: 'warn', format: 'text', stream, isUnderJournald: false })
  const { parts, close } = await openOffline(config, { log })
  try {
    return await new Operations(parts).perform(op, input)
  } finally {
    await close()
  }
}
