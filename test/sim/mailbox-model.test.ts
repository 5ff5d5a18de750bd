/**
 * Mailbox, journal and delivery against a plain model: random senders, devices, crashes, failing
 * disks and clocks. `SEED=n` begins with another seed; `SIM_MS=n` runs for so long.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Rig } from '../delivery/rig.ts'
import { type Command, World } from './world.ts'

const TIME_MS = Number(process.env['SIM_MS'] ?? 10_000)
const SEED = Number(process.env['SEED'] ?? 1)

const MEMORY = '/dev/shm'

const client = fc.nat(3)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      from: fc.nat(1),
      qos: fc.constantFrom(1 as const, 2 as const),
      expiresAfterS: fc.constantFrom(5, 60, 3600),
      // Now and then more than a drain reads at once.
      count: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 70),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('retry' as const), which: fc.nat(50) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('come' as const), client }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('narrow', 'widen'), client }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      client,
      count: fc.constantFrom(1, 2, 100),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(20, 1_000, 6_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('jump' as const), years: fc.constantFrom(-50, 30) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), noSpace: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('restart', 'crash', 'hold', 'hold', 'letGo') }),
  },
)

t.test(`a post office does what the model does (SEED=${SEED})`, async (t) => {
  // What is tried here is order and what follows from what, not fsync: a disk in memory will do.
  const folder = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'waypost-sim-'))
  t.teardown(() => rm(folder, { recursive: true }))
  let runs = 0
  let steps = 0
  const property = fc.asyncProperty(
    fc.array(command, { minLength: 1, maxLength: 80, size: 'max' }),
    async (commands) => {
      runs += 1
      const path = join(folder, String(runs), 'store')
      const world = new World(await Rig.open(t, {}, path))
      try {
        await world.start()
        for (const one of commands) {
          steps += 1
          await world.step(one)
        }
      } finally {
        await world.end()
        await rm(join(folder, String(runs)), { recursive: true })
      }
    },
  )
  const endMs = performance.now() + TIME_MS
  for (let seed = SEED; performance.now() < endMs; seed += 1) {
    await fc.assert(property, { seed, numRuns: 1 })
  }
  t.comment(`${runs} runs, ${steps} steps, seed ${SEED}`)
  t.ok(runs > 0)
})
