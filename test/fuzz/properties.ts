/** Properties of MQTT 5 (2.2.2) with values of their type, good and at its bounds. */
import type { Owner } from '../../src/broker/properties.ts'
import { variable } from '../../src/broker/variable.ts'
import type { SeededRandom } from '../load/random.ts'
import { oddName } from './names.ts'
import { type Field, prefixed } from './packet.ts'

type Value = (random: SeededRandom) => Buffer
type Property = { readonly id: number; readonly owners: readonly Owner[]; readonly value: Value }

const byte: Value = (random) => Buffer.from([random.between(0, 1)])
const number =
  (size: 2 | 4, ...values: readonly number[]): Value =>
  (random) => {
    const bytes = Buffer.alloc(size)
    bytes.writeUIntBE(random.pick(values), 0, size)
    return bytes
  }
const subscriptionId: Value = (random) => variable(random.pick([1, 127, 128, 268_435_455]))
const someText: Value = (random) =>
  prefixed(Buffer.from(random.chance(0.8) ? 'text' : oddName(random).slice(0, 999)))
const topic: Value = () => prefixed(Buffer.from('a/reply'))
const binary: Value = (random) => prefixed(random.bytes(random.between(0, 20)))
const pair: Value = (random) => Buffer.concat([someText(random), someText(random)])

/** Table 2-4; those that only servers send have no owner here. */
const TABLE: readonly Property[] = [
  { id: 0x01, owners: ['publish', 'will'], value: byte },
  { id: 0x02, owners: ['publish', 'will'], value: number(4, 0, 1, 60, 0xffffffff) },
  { id: 0x03, owners: ['publish', 'will'], value: someText },
  { id: 0x08, owners: ['publish', 'will'], value: topic },
  { id: 0x09, owners: ['publish', 'will'], value: binary },
  { id: 0x0b, owners: ['subscribe'], value: subscriptionId },
  { id: 0x11, owners: ['connect', 'disconnect'], value: number(4, 0, 1, 3_600, 0xffffffff) },
  { id: 0x12, owners: [], value: someText },
  { id: 0x13, owners: [], value: number(2, 0, 60) },
  { id: 0x15, owners: ['auth'], value: someText },
  { id: 0x16, owners: ['auth'], value: binary },
  { id: 0x17, owners: ['connect'], value: byte },
  { id: 0x18, owners: ['will'], value: number(4, 0, 1, 0xffffffff) },
  { id: 0x19, owners: ['connect'], value: byte },
  { id: 0x1a, owners: [], value: someText },
  { id: 0x1f, owners: ['acknowledgement', 'disconnect', 'auth'], value: someText },
  { id: 0x21, owners: ['connect'], value: number(2, 1, 2, 20, 0xffff) },
  { id: 0x22, owners: ['connect'], value: number(2, 0, 1, 16, 0xffff) },
  { id: 0x23, owners: ['publish'], value: number(2, 1, 2, 16) },
  { id: 0x24, owners: [], value: byte },
  { id: 0x27, owners: ['connect'], value: number(4, 1, 64, 65_536, 0xffffffff) },
]

const USER_PROPERTY = 0x26

const encoded = (random: SeededRandom, { id, value }: Property): Buffer =>
  Buffer.concat([Buffer.from([id]), value(random)])

const userProperty = (random: SeededRandom): Buffer =>
  Buffer.concat([Buffer.from([USER_PROPERTY]), pair(random)])

/** None in most packets; otherwise some of those that belong to it, each once. */
export function propertiesOf(random: SeededRandom, owner: Owner): Field {
  if (random.chance(0.5)) return { kind: 'properties', items: [] }
  const own = TABLE.filter(({ owners }) => owners.includes(owner) && random.chance(0.3))
  const items = own.map((property) => encoded(random, property))
  const pairs = random.chance(0.3) ? random.between(1, 3) : 0
  for (let count = 0; count < pairs; count += 1) items.push(userProperty(random))
  return { kind: 'properties', items }
}

/** Any property, whatever packet it belongs to. */
export function anyProperty(random: SeededRandom): Buffer {
  return encoded(random, random.pick(TABLE))
}
