/**
 * `npm run bench -- durable`: acknowledged messages a second while every recipient is away, so
 * that each has to be kept; ours with an fsync before each acknowledgement, Mosquitto with its
 * default persistence, alternating in one run on the same core.
 */
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Broker } from '../test/drill/broker.ts'
import { Cleanup } from '../test/drill/cleanup.ts'
import { findMosquitto, MosquittoProcess, NO_MOSQUITTO } from '../test/drill/mosquitto-process.ts'
import { RelayProcess } from '../test/drill/relay-process.ts'
import { BROKER_CORE, benchUsers, Contender, type Measured } from './contender.ts'
import { median } from './median.ts'

const HELP = `Usage: npm run bench -- durable [--rounds N] [--ms N] [--depth N] [--seed S]

  --rounds N   alternated rounds that are measured (5)
  --ms N       length of a round (3000)
  --depth N    then queue N messages in each broker and show rate and memory on the way
  --seed S     for payloads (1)
  --dir DIR    where the stores lie (the folder for temporary files)
  --users N    publishers, and as many recipients (200)
`

const WINDOW = 8
const PAYLOAD_BYTES = 200
const WARM_UP_MS = 1_000
/** Depths at which rate and memory are shown. */
const STEPS = [10_000, 100_000, 250_000, 500_000, 1_000_000]
const MIB = 1024 * 1024

export async function durable(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      ms: { type: 'string', default: '3000' },
      depth: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      users: { type: 'string', default: '200' },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  if ((await findMosquitto()) === undefined) throw new Error(NO_MOSQUITTO)
  const cleanup = new Cleanup()
  await cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-bench-', values.dir)
    say(`disk: fdatasync of 200 B takes ${(await fdatasyncMs(folder)).toFixed(2)} ms (median)`)
    const contenders = [
      new Contender({ broker: relay(folder) }),
      new Contender({ broker: mosquitto(folder) }),
    ]
    const users = benchUsers(Number(values.users))
    const load = {
      seed: Number(values.seed),
      payloadBytes: PAYLOAD_BYTES,
      window: WINDOW,
    }
    say(`${users.length} publishers, ${WINDOW} in flight each, ${PAYLOAD_BYTES} B, recipients away`)
    for (const contender of contenders) {
      await contender.start(users, load, cleanup)
      await contender.register()
      await contender.connect({ wantsReceipts: false })
    }
    if (Number(values.rounds) > 0)
      await rounds(contenders, Number(values.rounds), Number(values.ms))
    if (Number(values.depth) > 0) await depths(contenders, Number(values.depth))
  })
}

function relay(folder: string): Broker {
  return new RelayProcess({
    dataDir: join(folder, 'relay'),
    configDir: join(folder, 'config'),
    core: BROKER_CORE,
  })
}

function mosquitto(folder: string): Broker {
  return new MosquittoProcess({ dataDir: join(folder, 'mosquitto'), core: BROKER_CORE })
}

async function rounds(contenders: readonly Contender[], count: number, ms: number): Promise<void> {
  const results = new Map<string, Measured[]>()
  for (const contender of contenders) {
    results.set(contender.name, [])
    await contender.publish({ ms: WARM_UP_MS })
  }
  for (let round = 1; round <= count; round++) {
    for (const contender of contenders) {
      const measured = await contender.publish({ ms })
      results.get(contender.name)?.push(measured)
      say(`round ${round}  ${describe(contender.name, measured)}`)
    }
  }
  const medians = [...results].map(([name, list]) => ({
    name,
    rate: median(list.map((one) => one.perSecond)),
    perCpu: median(list.map((one) => one.perCpuSecond)),
  }))
  for (const { name, rate, perCpu } of medians) {
    say(`median   ${name.padEnd(10)} ${perSecond(rate)}, ${Math.round(perCpu)} a CPU second`)
  }
  const [ours, theirs] = medians
  if (ours === undefined || theirs === undefined) return
  const ratio = (ours.rate / theirs.rate).toFixed(2)
  const perCpu = (ours.perCpu / theirs.perCpu).toFixed(2)
  say(`ratio    ${ratio} of Mosquitto, which syncs nothing; ${perCpu} for the same CPU time`)
}

/** Queues up to `depth` messages in each broker, from empty, and shows what that takes. */
async function depths(contenders: readonly Contender[], depth: number): Promise<void> {
  for (const contender of contenders) {
    const before = await contender.restingBytes()
    say(`${contender.name}: ${mib(contender.startedBytes)} after its start, ${mib(before)} at rest`)
    const loaded: number[] = []
    let queued = 0
    for (const step of [...STEPS.filter((one) => one < depth), depth]) {
      const measured = await contender.publish({ messages: step - queued })
      queued = step
      const now = await contender.residentBytes()
      loaded.push(now)
      say(`  ${String(queued).padStart(8)} queued  ${describe('', measured)}  ${mib(now)}`)
    }
    const [first = before] = loaded
    const most = Math.max(...loaded)
    const resting = await contender.restingBytes()
    say(`  the load itself takes ${mib(first - before)}`)
    say(`  at most ${mib(most - before)} more than with none on the way to ${queued}, under load`)
    say(`  ${mib(resting - before)} more than with none at rest`)
    await contender.restartBroker()
    const restarted = (await contender.residentBytes()) - contender.startedBytes
    say(`  ${mib(restarted)} more than after its first start when started anew with them`)
  }
}

function describe(name: string, measured: Measured): string {
  const { brokerCpu, loadCpu, refused } = measured
  const shares = `broker ${percent(brokerCpu)}, load ${percent(loadCpu)} of a core`
  const trouble = refused === 0 ? '' : `  ${refused} REFUSED`
  return `${name.padEnd(10)} ${perSecond(measured.perSecond)}  (${shares})${trouble}`
}

function perSecond(rate: number): string {
  return `${String(Math.round(rate)).padStart(6)}/s acknowledged`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** What one small durable write costs here: the figure that all others hang on. */
async function fdatasyncMs(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true })
  const file = await open(join(folder, 'fdatasync'), 'w')
  const times: number[] = []
  for (let count = 0; count < 50; count++) {
    const startedMs = performance.now()
    await file.write(Buffer.alloc(PAYLOAD_BYTES, count))
    await file.datasync()
    times.push(performance.now() - startedMs)
  }
  await file.close()
  return median(times)
}
