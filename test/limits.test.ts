import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LIMITS } from '../src/limits.ts'

const ROOT = join(import.meta.dirname, '..')

/** What a value is counted in, by the name that it has. */
function unitOf(name: string): string {
  if (/Bytes/.test(name)) return ' bytes'
  if (/Ms/.test(name)) return ' ms'
  if (/SMax$/.test(name)) return ' s'
  if (/MiB/.test(name)) return ' MiB'
  if (/Growth/.test(name)) return ' %'
  return /Chars/.test(name) ? ' characters' : ''
}

t.test(
  'docs/LIMITS.md names every bound once, with its value, its reason and its end',
  async (t) => {
    const text = readFileSync(join(ROOT, 'docs/LIMITS.md'), 'utf8')
    const rows = [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
    const values = rows.map(([, name, value]) => `${name}: ${value}`)
    const wanted = Object.entries(LIMITS).map(
      ([name, value]) => `${name}: ${value.toLocaleString('en')}${unitOf(name)}`,
    )
    t.same(values.toSorted(), wanted.toSorted())
  },
)

t.test('every bound is a whole number above zero', async (t) => {
  for (const [name, value] of Object.entries(LIMITS)) {
    t.ok(Number.isSafeInteger(value) && value > 0, name)
  }
})

t.test('every bound is used', async (t) => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'limits.ts')
    .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
    .join('\n')
  for (const name of Object.keys(LIMITS)) t.match(sources, new RegExp(`\\b${name}\\b`), name)
})

t.test('bounds that belong together fit together', async (t) => {
  t.ok(LIMITS.payloadBytesMax < LIMITS.packetBytesMax, 'a payload has room in its packet')
  t.ok(LIMITS.connectBytesMax <= LIMITS.packetBytesMax)
  t.ok(LIMITS.outboxBytesHigh < LIMITS.outboxBytesMax)
  t.ok(LIMITS.payloadBytesMax < LIMITS.outboxBytesMax - LIMITS.outboxBytesHigh)
  t.ok(LIMITS.packetBytesMax < LIMITS.pendingBytesMax)
  t.ok(LIMITS.inFlightPerDeviceMax < 0x8000, 'each has a packet identifier of its own')
  t.ok(LIMITS.devicesHoldingPerUserMax <= LIMITS.devicesPerUserMax)
  t.ok(LIMITS.storeStopMsMax < LIMITS.stopMsMax)
  t.ok(LIMITS.compactMs < 60_000, 'bytes leave within a minute')
})
