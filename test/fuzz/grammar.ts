/**
 * What clients say: packets of MQTT 3.1, 3.1.1 and 5 that are well formed, in orders that need not
 * be. Every choice comes from the one generator that is handed in.
 */
import { PACKET, type Version } from '../../src/broker/wire.ts'
import type { SeededRandom } from '../load/random.ts'
import { filterFor, topicFor } from './names.ts'
import { type Field, type Packet, payload, plain, text, uint16 } from './packet.ts'
import { propertiesOf } from './properties.ts'

/** Who a client is. */
export type Account = {
  readonly user: string
  readonly password: string
  readonly clientId: string
}

const FLAG = { clean: 0x02, will: 0x04, retain: 0x20, password: 0x40, userName: 0x80 } as const

/** Identifiers that acknowledgements name: small ones, and those of aedes' and of our deliveries. */
const IDS: readonly number[] = [1, 2, 3, 0x7fff, 0x8000, 0x8001, 0x8002, 0xffff]
const PUBLISH_REASONS: readonly number[] = [0x00, 0x10, 0x80, 0x97]
const PAYLOADS: readonly string[] = [
  '',
  '{"status":"read"}',
  '{"privacy":{"presence":"nobody"}}',
  '{"privacy":{"presence":"everybody"}}',
  '{"__proto__":{"status":"read"}}',
  '[[[[]]]]',
  'hello',
]
const PAYLOAD_BYTES_MAX = 300_000

type Maker = (grammar: Grammar) => Packet

/** Each kind of packet as often as it stands here. */
const KINDS: readonly Maker[] = [
  ...Array.from({ length: 6 }, (): Maker => (grammar) => grammar.publish()),
  ...Array.from({ length: 3 }, (): Maker => (grammar) => grammar.subscribe()),
  (grammar) => grammar.unsubscribe(),
  (grammar) => grammar.acknowledgement(),
  (grammar) => grammar.acknowledgement(),
  () => PINGREQ,
]
const LAST: readonly Maker[] = [
  (grammar) => grammar.disconnect(),
  (grammar) => grammar.connect(),
  (grammar) => grammar.auth(),
  (grammar) => grammar.ofServer(),
]

export const PINGREQ: Packet = { first: PACKET.pingreq << 4, fields: [] }

export class Grammar {
  readonly version: Version
  readonly #random: SeededRandom
  readonly #account: Account
  #nextId = 0

  constructor(parts: { random: SeededRandom }, account: Account) {
    this.#random = parts.random
    this.#account = account
    this.version = this.#random.pick([3, 4, 4, 5, 5, 5])
  }

  /** Something that a client may say at any time. */
  next(): Packet {
    return this.#random.pick(KINDS)(this)
  }

  /** Something after which a connection ends. */
  last(): Packet {
    return this.#random.pick(LAST)(this)
  }

  connect(): Packet {
    const { user, password, clientId } = this.#account
    const hasWill = this.#random.chance(0.3)
    const isClean = this.#random.chance(0.5)
    const flags =
      FLAG.userName | FLAG.password | (isClean ? FLAG.clean : 0) | (hasWill ? this.#willFlags() : 0)
    return {
      first: PACKET.connect << 4,
      fields: [
        text(this.version === 3 ? 'MQIsdp' : 'MQTT'),
        plain(this.version, flags),
        uint16(this.#random.pick([0, 0, 60, 0xffff])),
        ...this.#properties('connect'),
        text(isClean && this.#random.chance(0.1) ? '' : clientId),
        ...(hasWill ? this.#will() : []),
        text(user),
        text(password),
      ],
    }
  }

  publish(): Packet {
    const qos = this.#random.between(0, 2)
    const isAgain = qos > 0 && this.#random.chance(0.1)
    const isRetained = this.#random.chance(0.2)
    return {
      first: (PACKET.publish << 4) | (isAgain ? 8 : 0) | (qos << 1) | (isRetained ? 1 : 0),
      fields: [
        text(topicFor(this.#random, this.#account.user)),
        ...(qos === 0 ? [] : [this.#newId()]),
        ...this.#properties('publish'),
        payload(this.#payload()),
      ],
    }
  }

  subscribe(): Packet {
    const filters: Field[] = []
    const count = this.#random.chance(0.02) ? 120 : this.#random.between(1, 4)
    for (let at = 0; at < count; at += 1) {
      const retainHandling = this.version === 5 ? this.#random.between(0, 2) << 4 : 0
      const retainAsPublished = this.version === 5 && this.#random.chance(0.2) ? 8 : 0
      const options = retainHandling | retainAsPublished | this.#random.between(0, 2)
      filters.push(text(filterFor(this.#random, this.#account.user)), plain(options))
    }
    return this.#request(PACKET.subscribe, 'subscribe', filters)
  }

  unsubscribe(): Packet {
    const filters: Field[] = []
    for (let left = this.#random.between(1, 4); left > 0; left -= 1) {
      filters.push(text(filterFor(this.#random, this.#account.user)))
    }
    return this.#request(PACKET.unsubscribe, 'unsubscribe', filters)
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP, mostly one that nobody waits for. */
  acknowledgement(): Packet {
    const type = this.#random.pick([PACKET.puback, PACKET.pubrec, PACKET.pubrel, PACKET.pubcomp])
    const isRelease = type === PACKET.pubrel || type === PACKET.pubcomp
    const hasReason = this.version === 5 && this.#random.chance(0.5)
    const reason = this.#random.pick(isRelease ? [0x00, 0x92] : PUBLISH_REASONS)
    return {
      first: (type << 4) | (type === PACKET.pubrel ? 2 : 0),
      fields: [
        uint16(this.#random.chance(0.8) ? this.#random.pick(IDS) : this.#random.between(1, 0xffff)),
        ...(hasReason ? [plain(reason), ...this.#properties('acknowledgement')] : []),
      ],
    }
  }

  disconnect(): Packet {
    const hasReason = this.version === 5 && this.#random.chance(0.7)
    const reason = plain(this.#random.pick([0x00, 0x04, 0x80, 0x99]))
    return {
      first: PACKET.disconnect << 4,
      fields: hasReason ? [reason, ...this.#properties('disconnect')] : [],
    }
  }

  auth(): Packet {
    const reason = plain(this.#random.pick([0x00, 0x18, 0x19]))
    return { first: PACKET.auth << 4, fields: [reason, propertiesOf(this.#random, 'auth')] }
  }

  /** What no client may send. */
  ofServer(): Packet {
    const { connack, suback, unsuback, pingresp } = PACKET
    const type = this.#random.pick([0, connack, suback, unsuback, pingresp])
    return { first: type << 4, fields: type === pingresp ? [] : [uint16(1), plain(0)] }
  }

  #request(type: number, owner: 'subscribe' | 'unsubscribe', filters: Field[]): Packet {
    return {
      first: (type << 4) | 2,
      fields: [this.#newId(), ...this.#properties(owner), ...filters],
    }
  }

  #properties(owner: Parameters<typeof propertiesOf>[1]): Field[] {
    return this.version === 5 ? [propertiesOf(this.#random, owner)] : []
  }

  #newId(): Field {
    this.#nextId += 1
    return uint16(this.#nextId)
  }

  #willFlags(): number {
    return (
      FLAG.will | (this.#random.between(0, 2) << 3) | (this.#random.chance(0.3) ? FLAG.retain : 0)
    )
  }

  #will(): Field[] {
    const topic = topicFor(this.#random, this.#account.user)
    return [...this.#properties('will'), text(topic), text('gone')]
  }

  #payload(): Buffer {
    if (this.#random.chance(0.005)) return Buffer.alloc(PAYLOAD_BYTES_MAX)
    if (this.#random.chance(0.7)) return Buffer.from(this.#random.pick(PAYLOADS))
    return this.#random.bytes(this.#random.betweenByMagnitude(1, 500))
  }
}
