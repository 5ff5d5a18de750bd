/**
 * A reader that stops reading and one that never acknowledges, beside others that behave: how
 * fast the others get theirs with and without the two, and what the two find when they come back.
 * Two sessions that are kept cost something by themselves, stuck or not: where the bad readers have
 * such, two that behave have them in the rounds without.
 */
import type { Packet } from 'mqtt-packet'
import type { Test } from 'tap'
import { median } from '../../bench/median.ts'
import type { Credential } from '../drill/broker.ts'
import type { LoadClient } from '../load/load-client.ts'
import { ID_DIGITS, PublishPump, payloadPool } from '../load/pump.ts'
import { SeededRandom } from '../load/random.ts'
import { connectPacket, open, type RawClient } from '../support/raw.ts'
import { type FloodRelay, MIB, mib } from './rig.ts'

const GOOD_READERS = 6
const MESSAGES = 3_000
/** Between two looks whether the relay has let the bad readers go. */
const DOSE = 500
/** More than the kernel and an outbox hold for a reader that reads nothing. */
const DOSES_MAX = 20
/** What the one that never acknowledges says that it takes unacknowledged. */
const RECEIVE_MAXIMUM = 16
const PAYLOAD_BYTES = 2_000
const WINDOW = 32
/** Share of the rate without them: the median of the rounds. */
const SHARE_MIN = 0.95
const ROUNDS_MIN = 5
/** While the median is too low, noise may still be the reason: more rounds are made for so long. */
const ROUNDS_MS_MAX = 25_000
const WARM_UPS = 3
/** Beyond the peak without them, and far less than what the two are owed. */
const GROWTH_BYTES_MAX = 64 * MIB
const CONNACK = 2
const SUBACK = 9
const UNSUBACK = 11
const SESSION_S = 3_600

export type Lane = {
  readonly sender: Credential
  readonly reader: Credential
  readonly topicPrefix: string
  readonly filter: string
  /** Whether a reader with more waiting than an outbox holds is let go. */
  readonly letsGo: boolean
  /** Whether the sessions of the bad readers outlive their connections. */
  readonly isKept: boolean
  /** How many messages wait for a session that is kept, at most. */
  readonly waitingMax: number
}

type Range = { readonly from: number; readonly to: number }

/** The good ones: a publisher, and readers that take what they get. */
class Traffic {
  readonly #relay: FloodRelay
  readonly #pump: PublishPump
  #arrivals = 0
  #awaited = 0
  #allArrived: (() => void) | undefined

  constructor(relay: FloodRelay, pump: PublishPump) {
    this.#relay = relay
    this.#pump = pump
  }

  get sent(): number {
    return this.#pump.sent
  }

  arrived(): void {
    this.#arrivals += 1
    if (this.#arrivals === this.#awaited) this.#allArrived?.()
  }

  /**
   * Publishes so many; deliveries a second, counted when every reader has every message. Time in
   * which the relay could have run, but others had the processor, does not count.
   */
  async rate(messages: number): Promise<number> {
    const startedMs = performance.now()
    const keptWaitingMs = await this.#relay.keptWaitingMs()
    this.#awaited = this.#arrivals + messages * GOOD_READERS
    const all = new Promise<void>((resolve) => {
      this.#allArrived = resolve
    })
    this.#pump.start(messages)
    await all
    const waitedMs = (await this.#relay.keptWaitingMs()) - keptWaitingMs
    const tookMs = performance.now() - startedMs - waitedMs
    await this.#pump.finished()
    return (messages * GOOD_READERS * 1000) / tookMs
  }
}

async function begin(t: Test, relay: FloodRelay, lane: Lane): Promise<Traffic> {
  let traffic: Traffic | undefined
  let pump: PublishPump | undefined
  for (let at = 0; at < GOOD_READERS; at += 1) {
    const events = { arrived: () => traffic?.arrived() }
    const client = await relay.client(t, lane.reader, { clientId: `good-${at}`, events })
    await client.subscribe(lane.filter, 1)
  }
  const acknowledged = (_packetId: number, reason: number): void => pump?.answered(reason)
  const client = await relay.client(t, lane.sender, {
    clientId: 'sender',
    events: { acknowledged },
  })
  const random = new SeededRandom(1)
  pump = new PublishPump(
    { client, pool: payloadPool(random), random },
    {
      version: 4,
      topicPrefix: lane.topicPrefix,
      idPrefix: 'm',
      payloadBytes: PAYLOAD_BYTES,
      window: WINDOW,
      marker: 1,
    },
  )
  traffic = new Traffic(relay, pump)
  return traffic
}

const NEVER_ACKNOWLEDGES = 'never-acknowledges'
const NEVER_READS = 'never-reads'
const BAD = [NEVER_ACKNOWLEDGES, NEVER_READS]
const TWINS = ['behaves', 'behaves-too']

/** Signs a bad reader in. */
async function signIn(
  t: Test,
  relay: FloodRelay,
  { reader, isKept }: Lane,
  { clientId, clean }: { clientId: string; clean: boolean },
): Promise<RawClient> {
  const client = await open(t, relay, { version: 5 })
  client.send({
    ...connectPacket(reader, { version: 5, clientId, clean }),
    properties: {
      receiveMaximum: clientId === NEVER_READS ? undefined : RECEIVE_MAXIMUM,
      sessionExpiryInterval: isKept && !clean ? SESSION_S : 0,
    },
  } as Packet)
  await client.next(CONNACK)
  return client
}

/** Both bad readers are there. */
async function badReaders(t: Test, relay: FloodRelay, lane: Lane): Promise<RawClient[]> {
  const clients = BAD.map(async (clientId) => {
    const client = await signIn(t, relay, lane, { clientId, clean: false })
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: lane.filter, qos: 1 }] })
    await client.next(SUBACK)
    if (clientId === NEVER_READS) client.socket.pause()
    return client
  })
  return Promise.all(clients)
}

/** Two that behave, in the place of the bad ones. */
async function goodTwins(t: Test, relay: FloodRelay, lane: Lane): Promise<LoadClient[]> {
  const twins = TWINS.map(async (clientId) => {
    const client = await relay.client(t, lane.reader, { clientId, clean: false })
    await client.subscribe(lane.filter, 1)
    return client
  })
  return Promise.all(twins)
}

/** They leave, and nothing waits for them any longer. */
async function forget(
  t: Test,
  relay: FloodRelay,
  lane: Lane,
  clientIds: readonly string[],
): Promise<void> {
  for (const clientId of clientIds) {
    const client = await signIn(t, relay, lane, { clientId, clean: true })
    client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [lane.filter] })
    await client.next(UNSUBACK)
    client.socket.destroy()
  }
}

/** Publishes until the two are stuck, and let go where they are to be. */
async function getThemStuck(relay: FloodRelay, lane: Lane, traffic: Traffic): Promise<void> {
  for (let doses = 0; doses < DOSES_MAX; doses += 1) {
    await traffic.rate(DOSE)
    const { clients } = (await relay.ask('status')) as { clients: number }
    if (!lane.letsGo || clients <= GOOD_READERS + 1) return
  }
  throw new Error('the bad readers were not let go')
}

/** The numbers of the messages that a reader gets when it comes back and behaves. */
async function waitingFor(t: Test, relay: FloodRelay, lane: Lane, clientId: string, count: number) {
  const numbers: number[] = []
  const enough = Promise.withResolvers<void>()
  const arrived = (bytes: Buffer, _at: number, topicEnd: number): void => {
    numbers.push(Number(bytes.toString('latin1', topicEnd - ID_DIGITS, topicEnd)))
    if (numbers.length >= count) enough.resolve()
  }
  const options = { clientId, clean: false, events: { arrived } }
  const client: LoadClient = await relay.client(t, lane.reader, options)
  await enough.promise
  await client.ping()
  return numbers
}

/** The two get what has waited, and in order: the newest of what was sent. */
async function checkWaiting(t: Test, relay: FloodRelay, lane: Lane, sent: Range): Promise<void> {
  const count = Math.min(sent.to - sent.from, lane.waitingMax)
  const expected = Array.from({ length: count }, (_, at) => sent.to - count + at)
  for (const clientId of BAD) {
    const numbers = await waitingFor(t, relay, lane, clientId, count)
    t.equal(numbers.length, count, `the one that ${clientId} has so many as waited`)
    const wrong = expected.findIndex((number, at) => numbers[at] !== number)
    t.equal(wrong, -1, `the one that ${clientId} has the newest, in order`)
  }
}

type Seen = { readonly rate: number; readonly peakBytes: number }

/** One round of traffic, and the most memory that the relay has held in it. */
async function look(relay: FloodRelay, traffic: Traffic): Promise<Seen> {
  await relay.forgetPeak()
  const rate = await traffic.rate(MESSAGES)
  return { rate, peakBytes: await relay.peakBytes() }
}

/** Whether good readers, memory and what is kept are as they should be beside bad readers. */
export async function harmNobody(t: Test, relay: FloodRelay, lane: Lane): Promise<void> {
  const traffic = await begin(t, relay, lane)
  for (let round = 0; round < WARM_UPS; round += 1) await traffic.rate(MESSAGES)
  const rounds: { alone: Seen; beside: Seen }[] = []
  const share = () => median(rounds.map(({ alone, beside }) => beside.rate / alone.rate))
  const startedMs = performance.now()
  const mayGoOn = () => share() < SHARE_MIN && performance.now() - startedMs < ROUNDS_MS_MAX
  let from = 0
  while (rounds.length < ROUNDS_MIN || mayGoOn()) {
    if (rounds.length > 0) await forget(t, relay, lane, BAD)
    const twins = lane.isKept ? await goodTwins(t, relay, lane) : []
    const alone = await look(relay, traffic)
    for (const twin of twins) twin.drop()
    if (lane.isKept) await forget(t, relay, lane, TWINS)
    from = traffic.sent
    const bad = await badReaders(t, relay, lane)
    await getThemStuck(relay, lane, traffic)
    rounds.push({ alone, beside: await look(relay, traffic) })
    for (const { socket } of bad) socket.destroy()
  }
  const [alone, beside] = [rounds.map((one) => one.alone), rounds.map((one) => one.beside)]
  t.comment(`without: ${shown(alone)}; with: ${shown(beside)}`)
  t.ok(share() >= SHARE_MIN, `${(share() * 100).toFixed(1)} % of the rate without bad readers`)
  const grownBytes = peak(beside) - peak(alone)
  t.ok(grownBytes <= GROWTH_BYTES_MAX, `${mib(grownBytes)} more memory at most`)
  if (lane.isKept) await checkWaiting(t, relay, lane, { from, to: traffic.sent })
}

function peak(rounds: readonly Seen[]): number {
  return Math.max(...rounds.map(({ peakBytes }) => peakBytes))
}

function shown(rounds: readonly Seen[]): string {
  const rates = rounds.map(({ rate }) => Math.round(rate)).join(' ')
  return `${rates} deliveries a second, ${mib(peak(rounds))} at most`
}
