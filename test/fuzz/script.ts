/** What one connection sends, and what the relay owes it. The same for the same seed and number. */
import { Framer } from '../../src/broker/framer.ts'
import { PACKET, packetType } from '../../src/broker/wire.ts'
import { LIMITS } from '../../src/limits.ts'
import { SeededRandom } from '../load/random.ts'
import { answerTo } from './answers.ts'
import { type Account, Grammar, PINGREQ } from './grammar.ts'
import { mutate } from './mutate.ts'
import { encode, type Packet } from './packet.ts'

export type Script = {
  readonly number: number
  readonly transport: 'tcp' | 'webSocket'
  /** Address on this machine to come from. */
  readonly from: string
  readonly packets: number
  readonly bytes: Buffer
  /** `bytes`, as they are given to the transport. */
  readonly chunks: readonly Buffer[]
  /**
   * Answers that the relay owes unless it ends the connection; `undefined` where the last packet
   * is not complete, so that it may wait for more.
   */
  readonly owed: readonly string[] | undefined
  /** Whether the client is gone as soon as it has sent everything. */
  readonly isCutOff: boolean
}

const PACKETS_MAX = 12
/** A wrong packet ends the connection, so not many come after it. */
const PACKETS_AFTER_WRONG_MAX = 2
/** Each byte on its own takes a loop turn. */
const BYTEWISE_MAX = 2_000
const CHUNKS_MAX = 12
/** Where well-behaved clients live: wrong passwords are counted for each address. */
const HOME = '127.0.0.2'

export function scriptOf(seed: number, number: number, accounts: readonly Account[]): Script {
  const random = new SeededRandom((Math.imul(seed, 0x9e3779b1) ^ number) >>> 0)
  const account = accountFor(random, number, accounts)
  const grammar = new Grammar({ random }, account)
  const isPristine = random.chance(0.3)
  const begins = random.chance(0.06) ? [] : [grammar.connect()]
  const isFirstWrong = !isPristine && begins.length > 0 && random.chance(0.12)
  const said = isPristine
    ? pristine(random, grammar, begins)
    : withWrongOnes(random, grammar, begins, isFirstWrong)
  const bytes = Buffer.concat([...said.map(({ bytes }) => bytes), encode(PINGREQ)])
  return {
    number,
    transport: random.chance(0.35) ? 'webSocket' : 'tcp',
    from: isFirstWrong ? `127.1.${(number >> 8) & 0xff}.${number & 0xff}` : HOME,
    packets: said.length + 1,
    bytes,
    chunks: chunksOf(random, bytes),
    owed: isPristine
      ? [...said.flatMap(({ owed }) => owed), answerTo(PINGREQ)].flat()
      : owedFor(bytes),
    isCutOff: random.chance(0.05),
  }
}

/** Mostly a client of its own, so that few are taken over. */
function accountFor(random: SeededRandom, number: number, accounts: readonly Account[]): Account {
  const own = accounts[number % accounts.length]
  return own === undefined || random.chance(0.03) ? random.pick(accounts) : own
}

type Said = { readonly bytes: Buffer; readonly owed: readonly string[] }

const asIs = (packet: Packet): Said => ({ bytes: encode(packet), owed: answerTo(packet) })

function pristine(random: SeededRandom, grammar: Grammar, begins: readonly Packet[]): Said[] {
  const said = begins.map(asIs)
  for (let left = random.between(1, PACKETS_MAX); left > 0; left -= 1)
    said.push(asIs(grammar.next()))
  if (random.chance(0.3)) said.push(asIs(grammar.last()))
  return said
}

function withWrongOnes(
  random: SeededRandom,
  grammar: Grammar,
  begins: readonly Packet[],
  isFirstWrong: boolean,
): Said[] {
  const wrong = (packet: Packet): Said => ({
    bytes: mutate(random, packet, grammar.next()),
    owed: [],
  })
  const said = begins.map(isFirstWrong ? wrong : asIs)
  for (let left = random.between(0, PACKETS_MAX); left > 0; left -= 1)
    said.push(asIs(grammar.next()))
  const packet = () => (random.chance(0.85) ? grammar.next() : grammar.last())
  said.push(wrong(packet()))
  for (let left = random.between(0, PACKETS_AFTER_WRONG_MAX); left > 0; left -= 1) {
    said.push(random.chance(0.5) ? wrong(packet()) : asIs(packet()))
  }
  return said
}

/** Where the bytes end with a whole packet, at least the last ping is to be answered. */
function owedFor(bytes: Buffer): string[] | undefined {
  const framer = new Framer(LIMITS.packetBytesMax)
  framer.push(bytes)
  let last: Buffer | undefined
  try {
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) last = frame.bytes
  } catch {
    return []
  }
  if (framer.waiting > 0) return undefined
  return last !== undefined && packetType(last) === PACKET.pingreq ? answerTo(PINGREQ) : []
}

function chunksOf(random: SeededRandom, bytes: Buffer): Buffer[] {
  if (random.chance(0.2)) return [bytes]
  if (bytes.length <= BYTEWISE_MAX && random.chance(0.1)) {
    return Array.from(bytes, (byte) => Buffer.from([byte]))
  }
  const chunks: Buffer[] = []
  let at = 0
  while (at < bytes.length && chunks.length < CHUNKS_MAX) {
    const end = at + random.betweenByMagnitude(1, bytes.length - at + 1)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  if (at < bytes.length) chunks.push(bytes.subarray(at))
  return chunks
}
