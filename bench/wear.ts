/**
 * `npm run bench -- wear`: what a delivered message costs an SD card, once with recipients who
 * are online, once with recipients who come back later; and whether its bytes ever were on it.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cleanup } from '../test/drill/cleanup.ts'
import { RelayProcess } from '../test/drill/relay-process.ts'
import { opening } from '../test/load/pump.ts'
import { BROKER_CORE, benchUsers, Contender } from './contender.ts'
import { markerOf } from './load-protocol.ts'
import { writtenBytes } from './process-cost.ts'
import { countOpenings, FileTally } from './store-files.ts'

const HELP = `Usage: npm run bench -- wear [--messages N] [--window N] [--seed S] [--dir DIR]

  --messages N   messages in each part (20000)
  --users N      senders, each of whom is a recipient too (20)
  --window N     messages in flight for each sender (8)
  --dir DIR      where the store lies: a disk, not a tmpfs (the folder for temporary files)
`

const PAYLOAD_BYTES = 200
const LOOK_MS = 20

type Part = {
  readonly name: string
  readonly messages: number
  readonly kernelBytes: number
  readonly fileBytes: number
  /** Messages whose bytes stand in the store's files. */
  readonly found: number
  /** Messages that were withdrawn from their commit, because all devices had them before it. */
  readonly withdrawn: number
}

export async function wear(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: 'string', default: '20000' },
      users: { type: 'string', default: '20' },
      window: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const options = {
    messages: Number(values.messages),
    users: Number(values.users),
    window: Number(values.window),
    seed: Number(values.seed),
  }
  const parts = [
    await measure('online', { ...options, isOnline: true }, values.dir),
    await measure('offline', { ...options, isOnline: false }, values.dir),
  ]
  process.stdout.write(`${report(parts)}\n`)
  for (const { name, messages, withdrawn, found } of parts) {
    if (found > messages - withdrawn) throw new Error(`${name}: withdrawn payloads were written`)
  }
}

type WearOptions = {
  readonly messages: number
  readonly users: number
  readonly window: number
  readonly seed: number
  readonly isOnline: boolean
}

async function measure(name: string, options: WearOptions, dir?: string): Promise<Part> {
  const cleanup = new Cleanup()
  return cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-bench-', dir)
    const dataDir = join(folder, 'data')
    const broker = new RelayProcess({ dataDir, configDir: folder, core: BROKER_CORE })
    const contender = new Contender({ broker })
    const { seed, window } = options
    await contender.start(
      benchUsers(options.users),
      { seed, window, payloadBytes: PAYLOAD_BYTES },
      cleanup,
    )
    await contender.register()
    await contender.connect({ wantsReceipts: true })
    if (options.isOnline) await contender.receive()
    const tally = new FileTally({ folder: dataDir })
    await tally.start(LOOK_MS)
    cleanup.add(async () => tally.stop())
    const files = tally.bytes
    const kernel = await writtenBytes(broker.pid)
    const { sent } = await contender.publish({ messages: options.messages })
    const messages = sent.reduce((sum, count) => sum + count, 0)
    const openings = openingsOf(seed, sent)
    // Before they are delivered: it shows that the search finds what is there.
    const kept = options.isOnline ? 0 : await countOpenings(dataDir, openings)
    if (!options.isOnline) await contender.receive()
    await contender.awaitArrivals(messages)
    const kernelBytes = (await writtenBytes(broker.pid)) - kernel
    await tally.look()
    const fileBytes = tally.bytes - files
    const found = options.isOnline ? await countOpenings(dataDir, openings) : kept
    const withdrawn = await broker.metric('waypost_store_withdrawn_total')
    return { name, messages, kernelBytes, fileBytes, found, withdrawn }
  })
}

/** The first eight payload bytes of every message sent, as `countOpenings` takes them. */
function openingsOf(seed: number, sent: readonly number[]): ReadonlyMap<number, number> {
  const openings = new Map<number, number>()
  for (const [index, count] of sent.entries()) {
    for (let number = 0; number < count; number++) {
      openings.set(...opening(markerOf(seed, index), number))
    }
  }
  return openings
}

function report(parts: readonly Part[]): string {
  const lines = parts.map((part) => {
    const kernel = (part.kernelBytes / part.messages).toFixed(0)
    const files = (part.fileBytes / part.messages).toFixed(0)
    return (
      `${part.name.padEnd(8)} ${part.messages} messages of ${PAYLOAD_BYTES} B: ` +
      `${kernel} B each to the disk (whole pages, as the kernel counts), ${files} B into files; ` +
      `${part.withdrawn} withdrawn in time; payloads found in the store: ${part.found}`
    )
  })
  return lines.join('\n')
}
