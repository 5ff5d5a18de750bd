import t from 'tap'
import { boundedEnv } from '../../src/cli/bounded-memory.ts'
import { LIMITS } from '../../src/limits.ts'

t.test('a process without bounds begins again with them, once', async (t) => {
  const env = boundedEnv({ PATH: '/bin', NODE_OPTIONS: '--no-deprecation' })
  t.same(env, {
    PATH: '/bin',
    MALLOC_ARENA_MAX: '1',
    NODE_OPTIONS: `--no-deprecation --max-semi-space-size=${LIMITS.youngHeapMiBMax}`,
  })
  t.equal(boundedEnv(env ?? {}), undefined)
})

t.test('what the operator has set stays', async (t) => {
  t.equal(boundedEnv({ NODE_OPTIONS: '--max-semi-space-size=32' }), undefined)
  t.match(boundedEnv({ MALLOC_ARENA_MAX: '4' }), { MALLOC_ARENA_MAX: '4' })
})
