/**
 * `npm run bench -- front`: what the front costs for each kind of packet, beside the parser that
 * aedes uses; and deliveries a second of the relay, of stock aedes and of Mosquitto, alternating
 * in one run on the same core, from person to person and to many readers of one topic.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/clock.ts'
import { askRelay, reachRelay } from '../src/control/client.ts'
import type { Credential } from '../test/drill/broker.ts'
import { Cleanup } from '../test/drill/cleanup.ts'
import { findMosquitto, MosquittoProcess, NO_MOSQUITTO } from '../test/drill/mosquitto-process.ts'
import { RelayProcess } from '../test/drill/relay-process.ts'
import { AedesProcess } from './aedes-process.ts'
import { BROKER_CORE, benchUsers, Contender, type Measured } from './contender.ts'
import { ours, packetsOf, type Take, theirs, type Version } from './front-packets.ts'
import { median } from './median.ts'

const HELP = `Usage: npm run bench -- front [--rounds N] [--ms N] [--users N] [--readers N] [--only PART]

  --rounds N     alternated rounds that are measured (5)
  --ms N         length of a round (2000)
  --users N      persons, each of whom sends to another one and receives (200)
  --readers N    readers of the ordinary topic (20)
  --only PART    packets (the cost of each packet), people, or topics
  --seed S       for payloads (1)
  --dir DIR      where the stores lie (the folder for temporary files)
`

const WINDOW = 8
const FAN_WINDOW = 64
const PAYLOAD_BYTES = 200
const WARM_UP_MS = 1_000
/** Packets in a chunk: as many short ones come in one read. */
const CHUNK_PACKETS = 32
/** Shortest time of one look at one kind of packet. */
const LOOK_MS = 20
const LOOKS = 15
const PARTS = ['packets', 'people', 'topics']
const THING = 'lamp'

type Settings = {
  readonly rounds: number
  readonly ms: number
  readonly users: number
  readonly readers: number
  readonly seed: number
  readonly dir: string | undefined
}

export async function front(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      ms: { type: 'string', default: '2000' },
      users: { type: 'string', default: '200' },
      readers: { type: 'string', default: '20' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const parts = values.only === undefined ? PARTS : [values.only]
  if (parts.some((part) => !PARTS.includes(part))) throw new Error(HELP)
  if (parts.includes('packets')) for (const version of [4, 5] as const) packets(version)
  if (!parts.some((part) => part !== 'packets')) return
  const { rounds, ms, users, readers, seed, dir } = values
  const numbers = { rounds: Number(rounds), ms: Number(ms), users: Number(users) }
  await load(parts, { ...numbers, readers: Number(readers), seed: Number(seed), dir })
}

/** Prints nanoseconds for each kind of packet. */
function packets(version: Version): void {
  say(`MQTT ${version === 5 ? '5' : '3.1.1'}: ns a packet`)
  say(`${'packet'.padEnd(14)} ${'front'.padStart(7)} ${'mqtt-packet'.padStart(12)}  ratio`)
  for (const [kind, bytes] of packetsOf(version)) {
    const chunk = Buffer.concat(Array.from({ length: CHUNK_PACKETS }, () => bytes))
    const [front = 0, parser = 0] = alternated([ours(kind, version), theirs(version)], chunk)
    const ratio = (front / parser).toFixed(2)
    const figures = `${front.toFixed(0).padStart(7)} ${parser.toFixed(0).padStart(12)}`
    say(`${kind.padEnd(14)} ${figures}  ${ratio}`)
  }
}

/** The median of what each takes for a packet, ns; the first look at each warms it up. */
function alternated(takes: readonly Take[], chunk: Buffer): number[] {
  const looks = takes.map((take) => ({ take, ns: [] as number[] }))
  for (const { take } of looks) look(take, chunk)
  for (let round = 0; round < LOOKS; round += 1) {
    for (const { take, ns } of looks) ns.push(look(take, chunk))
  }
  return looks.map(({ ns }) => median(ns))
}

function look(take: Take, chunk: Buffer): number {
  const startedMs = performance.now()
  let count = 0
  let tookMs = 0
  while (tookMs < LOOK_MS) {
    // Looking at the clock costs as much as a packet.
    for (let times = 0; times < 16; times += 1) count += take(chunk)
    tookMs = performance.now() - startedMs
  }
  return (tookMs * 1e6) / count
}

async function load(parts: readonly string[], settings: Settings): Promise<void> {
  if ((await findMosquitto()) === undefined) throw new Error(NO_MOSQUITTO)
  const cleanup = new Cleanup()
  await cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-bench-', settings.dir)
    const contenders = [
      new Contender({ broker: relay(folder) }),
      new Contender({ broker: new AedesProcess({ core: BROKER_CORE }) }),
      new Contender({
        broker: new MosquittoProcess({ dataDir: join(folder, 'mosquitto'), core: BROKER_CORE }),
      }),
    ]
    const names = benchUsers(settings.users)
    const options = { seed: settings.seed, payloadBytes: PAYLOAD_BYTES, window: WINDOW }
    for (const contender of contenders) await contender.start(names, options, cleanup)
    if (parts.includes('people')) await people(contenders, settings)
    if (!parts.includes('topics')) return
    for (const qos of [0, 1] as const) await topics(contenders, settings, qos)
  })
}

function relay(folder: string): RelayProcess {
  const [dataDir, configDir] = [join(folder, 'relay'), join(folder, 'config')]
  return new RelayProcess({ dataDir, configDir, core: BROKER_CORE })
}

async function people(contenders: readonly Contender[], settings: Settings): Promise<void> {
  const { users } = settings
  say(`person to person: ${users} users, QoS 1, ${WINDOW} in flight each, ${PAYLOAD_BYTES} B`)
  for (const contender of contenders) {
    await contender.receive({ clean: true })
    await contender.connect({ wantsReceipts: false })
  }
  await rounds(contenders, settings, async (contender, ms) => {
    const measured = await contender.publish({ ms })
    await contender.awaitArrivals(measured.sent.reduce((sum, sent) => sum + sent, 0))
    return measured
  })
  for (const contender of contenders) await contender.leave()
}

async function topics(
  contenders: readonly Contender[],
  settings: Settings,
  qos: 0 | 1,
): Promise<void> {
  const { readers } = settings
  say(`one thing to ${readers} readers, QoS ${qos}, ${FAN_WINDOW} on their way, ${PAYLOAD_BYTES} B`)
  for (const contender of contenders) {
    await contender.fan({
      publisher: await thing(contender),
      topic: `things/${THING}/reading`,
      readers: contender.users.slice(0, readers),
      qos,
      payloadBytes: PAYLOAD_BYTES,
      window: FAN_WINDOW,
    })
  }
  await rounds(contenders, settings, (contender, ms) => contender.blow(ms))
}

/** The publisher of an ordinary topic: an account of its own where the broker has accounts. */
async function thing({ broker }: Contender): Promise<Credential> {
  const name = `thing:${THING}`
  if (!broker.isPostOffice) return { name, password: '' }
  const ask = async (op: string) =>
    askRelay(await reachRelay(broker.dataDir), { op, input: { id: THING } }, systemClock)
  await ask('thing.remove').catch(() => undefined)
  const { password } = (await ask('thing.add')) as { password: string }
  return { name, password }
}

async function rounds(
  contenders: readonly Contender[],
  { rounds: count, ms }: Settings,
  run: (contender: Contender, ms: number) => Promise<Measured>,
): Promise<void> {
  const results = contenders.map(({ name }) => ({ name, measured: [] as Measured[] }))
  for (const contender of contenders) await run(contender, WARM_UP_MS)
  for (let round = 0; round < count; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      results[index]?.measured.push(await run(contender, ms))
    }
  }
  report(results)
}

type Result = { readonly name: string; readonly measured: readonly Measured[] }

function report(results: readonly Result[]): void {
  say(
    `${''.padEnd(10)} ${'deliveries/s'.padStart(12)} ${'a CPU second'.padStart(13)}  broker  load`,
  )
  const medians = results.map(({ name, measured }) => ({
    name,
    rate: median(measured.map((one) => one.arrivedPerSecond)),
    perCpu: median(measured.map((one) => one.arrivedPerSecond / one.brokerCpu)),
    broker: median(measured.map((one) => one.brokerCpu)),
    load: median(measured.map((one) => one.loadCpu)),
  }))
  for (const { name, rate, perCpu, broker, load } of medians) {
    const figures = `${rate.toFixed(0).padStart(12)} ${perCpu.toFixed(0).padStart(13)}`
    say(`${name.padEnd(10)} ${figures}  ${percent(broker)}  ${percent(load)}`)
  }
  const [first, ...others] = medians
  for (const { name, rate, perCpu } of others) {
    if (first === undefined) return
    const ratio = (first.rate / rate).toFixed(2)
    say(`ratio to ${name}: ${ratio}; ${(first.perCpu / perCpu).toFixed(2)} for the same CPU time`)
  }
  say('')
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`.padStart(5)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
