/**
 * Bounds of memory that a process takes only at its birth. Without them V8 lets the space for
 * young objects grow to 64 MiB, and malloc keeps what is free once for each thread.
 */
import { LIMITS } from '../limits.ts'

const YOUNG_HEAP = '--max-semi-space-size'

type Env = Readonly<Record<string, string | undefined>>

/**
 * @returns the environment with which the process has to begin again, or `undefined` where it was
 *   born with bounds; those that an operator has set stay as they are
 */
export function boundedEnv(env: Env): Env | undefined {
  const options = env['NODE_OPTIONS'] ?? ''
  if (options.includes(YOUNG_HEAP)) return undefined
  const bounded = `${options} ${YOUNG_HEAP}=${LIMITS.youngHeapMiBMax}`.trim()
  return { MALLOC_ARENA_MAX: '1', ...env, NODE_OPTIONS: bounded }
}
