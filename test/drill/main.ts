/** Crash and power-cut drills: `npm run drill -- --kill 200 --seed 7`, `--power 50`. */
import { parseArgs } from 'node:util'
import { runProgram, wholeNumber } from '../support/program.ts'
import { type AwayTask, runAway } from './away.ts'
import { awayLines, isDelivered, isSmallAgain } from './away-summary.ts'
import { isDamageClean, runDamageDrill } from './damage-drill.ts'
import type { DrillResult } from './drill.ts'
import { findMosquitto, NO_MOSQUITTO } from './mosquitto-process.ts'
import { powerUnavailable } from './power.ts'
import { type BrokerName, type DrillTask, runDrill } from './run.ts'
import { damageLine, isClean, summaryLine, table } from './summary.ts'

const HELP = `Usage: npm run drill -- [--kill N] [--power N] [--mosquitto] [--away N] [--damage N]
                              [--seed S]

Loads a relay with senders and recipients, ends it N times at random moments, opens it again
each time, and at the end checks that every acknowledged message has arrived.

  --kill N      N times SIGKILL (20 where nothing is given)
  --power N     N power cuts: writes that were not synced are lost (needs root, xfsprogs, e2fsprogs)
  --mosquitto   the same with Mosquitto (Debian's package), its losses beside ours
  --away N      N messages to two devices that are away, --kill times SIGKILL on the way; checks
                order, receipts, and that the store is back at its size within a minute
  --damage N    N stores, each damaged in one place: every relay has to start and to name all that
                its clients miss; the seeds are S, S + 1 and so on
  --seed S      repeats the choices of the drill that printed S

Exit code 1 when anything acknowledged was lost, doubled, out of order, or not opened again.
`

const ROUNDS_DEFAULT = 20

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kill: { type: 'string' },
      power: { type: 'string' },
      away: { type: 'string' },
      damage: { type: 'string' },
      seed: { type: 'string' },
      mosquitto: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : wholeNumber('seed', values.seed)
  if (values.damage !== undefined) {
    return (await isEveryLossNamed(wholeNumber('damage', values.damage), seed)) ? 0 : 1
  }
  const power = values.power === undefined ? 0 : wholeNumber('power', values.power)
  const fallback = power > 0 ? 0 : ROUNDS_DEFAULT
  const kill = values.kill === undefined ? fallback : wholeNumber('kill', values.kill)
  if (values.away !== undefined) {
    const messages = wholeNumber('away', values.away)
    return (await isAwayClean({ messages, kills: kill, seed, storeMsMax: 60_000 })) ? 0 : 1
  }
  const brokers: BrokerName[] = values.mosquitto ? ['Waypost', 'Mosquitto'] : ['Waypost']
  if (values.mosquitto && (await findMosquitto()) === undefined) throw new Error(NO_MOSQUITTO)
  const reason = power > 0 ? await powerUnavailable() : undefined
  if (reason !== undefined) throw new Error(`no power can be cut here: ${reason}`)
  const isKillClean = kill === 0 || (await compare(brokers, { fault: 'kill', rounds: kill, seed }))
  const isPowerClean =
    power === 0 || (await compare(brokers, { fault: 'power cut', rounds: power, seed }))
  return isKillClean && isPowerClean ? 0 : 1
}

/** The same drill for each broker; only ours, the first, decides. */
async function compare(
  brokers: readonly BrokerName[],
  what: Omit<DrillTask, 'broker'>,
): Promise<boolean> {
  const runs: { broker: string; result: DrillResult }[] = []
  for (const broker of brokers) {
    const startedMs = performance.now()
    const result = await runDrill({ ...what, broker })
    const ms = performance.now() - startedMs
    process.stdout.write(`${summaryLine({ ...what, broker, ms }, result)}\n`)
    if (result.failure !== undefined) process.stdout.write(`failure: ${result.failure}\n`)
    if (broker === 'Waypost')
      for (const remark of result.remarks) process.stdout.write(`${remark}\n`)
    runs.push({ broker, result })
  }
  if (runs.length > 1) process.stdout.write(`${table(runs)}\n`)
  const [ours] = runs
  return ours !== undefined && isClean(ours.result)
}

async function isAwayClean(task: AwayTask): Promise<boolean> {
  const result = await runAway(task)
  process.stdout.write(awayLines(result, task))
  return isDelivered(result, task) && isSmallAgain(result)
}

async function isEveryLossNamed(stores: number, seed: number): Promise<boolean> {
  const startedMs = performance.now()
  const result = await runDamageDrill({ stores, seed })
  const ms = performance.now() - startedMs
  process.stdout.write(`${damageLine(result, { seed, ms })}\n`)
  for (const remark of result.remarks) process.stdout.write(`${remark}\n`)
  return isDamageClean(result)
}

await runProgram(main)
