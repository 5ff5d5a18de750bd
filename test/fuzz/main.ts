/** Fuzzes the relay's wire: `npm run fuzz -- --packets 50000 --seeds 5 --seed 1`. */
import { parseArgs } from 'node:util'
import { runProgram, wholeNumber } from '../support/program.ts'
import { type FuzzResult, runFuzz } from './run.ts'

const HELP = `Usage: npm run fuzz -- [--packets N] [--seeds K] [--seed S]

Sends a relay packets, good and bad, over TCP and WebSocket, and watches that it lives, answers,
and gives its memory back. Prints one line for each seed.

  --packets N   packets for each seed (50,000 where nothing is given)
  --seeds K     seeds, one after the other (1)
  --seed S      the first seed; one that was printed repeats its choices

Exit code 1 when something was found: the bytes that are printed then belong into test/fuzz/corpus.
`

const REST_MS_MAX = 30_000
const MIB = 1024 * 1024

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      packets: { type: 'string', default: '50000' },
      seeds: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const packets = wholeNumber('packets', values.packets)
  const first = wholeNumber('seed', values.seed)
  let isClean = true
  for (let seed = first; seed < first + wholeNumber('seeds', values.seeds); seed += 1) {
    const result = await runFuzz({ seed, packets, restMsMax: REST_MS_MAX })
    process.stdout.write(`${line(seed, result)}\n`)
    for (const finding of result.findings) process.stdout.write(`finding: ${finding}\n`)
    if (result.findings.length > 0) isClean = false
  }
  return isClean ? 0 : 1
}

function line(seed: number, result: FuzzResult): string {
  const { packets, connections, closedByRelay, longestPingMs } = result
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0)
  return (
    `seed ${seed}: ${packets} packets, ${connections} connections, ${closedByRelay} closed by the` +
    ` relay, longest ping ${longestPingMs.toFixed(0)} ms,` +
    ` memory ${mib(result.rssBeforeBytes)} MiB before, ${mib(result.rssAfterBytes)} MiB after`
  )
}

await runProgram(main)
