/**
 * Five thousand strangers who say nothing, and five thousand who come and go: whoever has an
 * account still gets in at once.
 */
import { setInterval } from 'node:timers/promises'
import t from 'tap'
import type { Credential } from '../drill/broker.ts'
import { type FloodRelay, startFloodRelay } from './rig.ts'
import { Strangers } from './strangers.ts'

const COUNT = 5_000
const GOOD_MS_MAX = 1_000
const MINUTE_MS = 60_000
const SIGN_IN_EVERY_MS = 10
/** With fewer than `strangersPerAddressMax` from each, those who say nothing may all stay. */
const MANY = COUNT / 50

/** Signs in and leaves, again and again until `over`; returns how long each sign-in took. */
async function signIns(relay: FloodRelay, user: Credential, over: Promise<unknown>) {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  over.then(stop, stop)
  const times: number[] = []
  for await (const _tick of setInterval(SIGN_IN_EVERY_MS)) {
    if (stopping.signal.aborted) break
    const startedMs = performance.now()
    const client = relay.loadClient(user, { clientId: 'good' })
    await client.connect()
    times.push(performance.now() - startedMs)
    await client.ping()
    await client.disconnect()
  }
  return times
}

for (const [silentAddresses, passingAddresses] of [
  [MANY, 1],
  [1, MANY],
] as const) {
  const addresses = `${silentAddresses} and ${passingAddresses} addresses`
  const name = `${COUNT} silent and ${COUNT} passing ones from ${addresses}`
  t.test(`a good client gets in within a second: ${name}`, async (t) => {
    const relay = await startFloodRelay(t)
    const user = await relay.addUser('alice')
    const early = await relay.client(t, user, { clientId: 'early' })
    const strangers = new Strangers()
    t.teardown(() => strangers.kill())
    const flood = { port: relay.mqttPort, pairs: COUNT, silentAddresses, passingAddresses }
    const flooding = strangers.flood(flood)
    const times = await signIns(relay, user, flooding)
    const { opened, silentMax, openedMs } = await flooding
    const worstMs = Math.round(Math.max(...times))
    t.comment(`${times.length} sign-ins, the slowest ${worstMs} ms`)
    t.comment(`${opened} came in ${Math.round(openedMs)} ms, ${silentMax} silent at once`)
    t.ok(worstMs < GOOD_MS_MAX, `${worstMs} ms`)
    t.equal(opened, 2 * COUNT)
    t.ok(openedMs < MINUTE_MS)
    await early.ping()
    t.pass('who was in before is in')
  })
}
