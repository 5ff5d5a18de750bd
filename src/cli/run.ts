/** `waypost run`: the relay itself, until it is asked to stop. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Clock, systemClock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import { VERSION } from '../version.ts'
import type { Call, Command } from './command.ts'
import { QuietCollector } from './heap.ts'
import { columns } from './layout.ts'
import type { Endpoint, RunningRelay } from './relay-face.ts'

export const RUN_COMMAND: Command = {
  words: ['run'],
  about: 'Run the relay',
  args: [],
  flags: [],
  takesKeys: true,
  async run(call) {
    const { world } = call
    const { config } = await call.load()
    boundMemory(systemClock)
    const [{ createLog }, { Relay }] = await Promise.all([import('../log.ts'), world.loadRelay()])
    const log = createLog({
      ...config.log,
      stream: { write: (line) => world.err(line) },
      isUnderJournald: world.env['JOURNAL_STREAM'] !== undefined,
    })
    const stop = Promise.withResolvers<void>()
    const late = Promise.withResolvers<'late'>()
    const forget = world.onStop(() => {
      stop.resolve()
      world.clock.after(LIMITS.stopMsMax, () => late.resolve('late'))
    })
    const relay = new Relay(config, { log })
    try {
      const end = await Promise.race([
        live(call, relay, config.dataDir, stop.promise),
        late.promise,
      ])
      // Nothing that was acknowledged depends on a tidy end.
      if (end === 'late') log.warn({ afterMs: LIMITS.stopMsMax }, 'stopped before all was closed')
    } finally {
      forget()
    }
  },
}

/** Under load the heap grows within bounds; afterwards the board gets its memory back. */
function boundMemory(clock: Clock): void {
  setFlagsFromString(`--heap-growing-percent=${LIMITS.heapGrowthPercentMax}`)
  setFlagsFromString('--expose-gc')
  const gc: (how: { type: 'major'; flavor: 'last-resort' }) => void = runInNewContext('gc')
  // Anything less keeps the emptied pages.
  const collect = () => gc({ type: 'major', flavor: 'last-resort' })
  const cpuMs = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  new QuietCollector({
    clock,
    cpuMs,
    residentBytes,
    collect,
  }).start()
}

/** `Infinity` where it cannot be told: no file can be opened. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

async function live(
  call: Call,
  relay: RunningRelay,
  dataDir: string,
  stop: Promise<void>,
): Promise<void> {
  await relay.start()
  const { authorityPath, firstAdmin } = relay
  const listening = urlsOf(relay)
  const result = {
    listening,
    ...(authorityPath === undefined ? {} : { authorityPath }),
    ...(firstAdmin === undefined ? {} : { firstAdmin }),
  }
  call.print(result, () => greeting(call, relay, dataDir))
  await stop
  await relay.stop()
}

/** What clients connect to. */
function urlsOf({ addresses }: RunningRelay) {
  const { mqtt, mqtts, http } = addresses
  return {
    mqtt: `mqtt://${authority(mqtt)}`,
    ...(mqtts === undefined ? {} : { mqtts: `mqtts://${authority(mqtts)}` }),
    websocket: `ws://${authority(http)}/mqtt`,
    http: `http://${authority(http)}`,
  }
}

/** RFC 3986, 3.2: an IPv6 address stands in brackets. */
function authority({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function greeting(call: Call, relay: RunningRelay, dataDir: string): string {
  const { mqtt, mqtts, websocket, http } = urlsOf(relay)
  const { firstAdmin, authorityPath } = relay
  const facts = columns([
    ['  MQTT', mqtt],
    ...(mqtts === undefined ? [] : [['  over TLS', mqtts]]),
    ['  WebSocket', websocket],
    ['  HTTP', http],
    ['  data', dataDir],
    ...(authorityPath === undefined ? [] : [['  trust', authorityPath]]),
  ])
  const lines = [`Waypost ${VERSION} is listening`, facts]
  if (firstAdmin !== undefined) {
    const { id, password } = firstAdmin
    lines.push(
      '',
      `This is the first start. The admin is ${id}, with this password, shown only now: ${password}`,
      'Next, in another terminal:',
      ...['user add alice', 'user add bob', 'status'].map((words) => `  ${typed(call, words)}`),
    )
  }
  return `${lines.join('\n')}\n`
}

/** The command as it has to be typed to reach this relay. */
function typed({ world, flags }: Call, words: string): string {
  const same = ['config', 'data-dir'].flatMap((name) => {
    const value = flags.get(name)
    return value === undefined ? [] : [`--${name} ${quoted(value)}`]
  })
  return [world.program, words, ...same].join(' ')
}

/** As a shell reads it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
