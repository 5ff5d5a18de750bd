/**
 * One thing wrong with a packet: in its parts, so that the frame around it still fits, or in its
 * bytes, blindly.
 */
import { variable } from '../../src/broker/variable.ts'
import type { SeededRandom } from '../load/random.ts'
import { oddName } from './names.ts'
import { bodyOf, encode, encodeField, type Field, framed, type Packet, text } from './packet.ts'
import { anyProperty } from './properties.ts'

type Mutation = (random: SeededRandom, packet: Packet, other: Packet) => Buffer

/** Remaining lengths at their bounds; the last is the longest that 4 bytes can say (1.5.5). */
const LENGTHS: readonly number[] = [0, 1, 127, 128, 16_383, 16_384, 65_535, 2_097_152, 268_435_455]
/** A fifth byte; a length that never ends; more bytes than the value needs. */
const BAD_LENGTHS: readonly Buffer[] = [
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80]),
  Buffer.from([0x80, 0x00]),
]
/** Not UTF-8 (RFC 3629): a bare continuation, over-long, a surrogate, past the end, cut off; U+0000. */
const BAD_TEXTS: readonly Buffer[] = [
  Buffer.from([0x80]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0x61, 0xe2, 0x82]),
  Buffer.from([0x61, 0x00]),
]

const MUTATIONS: readonly Mutation[] = [
  // In the parts.
  (random, packet) => withField(random, packet, (field) => [field, field]),
  (random, packet) => withField(random, packet, () => []),
  (random, packet) => withField(random, packet, (field) => [cutOff(random, field)]),
  (random, packet) => withText(random, packet, () => random.pick(BAD_TEXTS)),
  (random, packet) => withText(random, packet, () => Buffer.from(oddName(random))),
  (random, packet) => withProperties(random, packet, (items) => [...items, anyProperty(random)]),
  (random, packet) => withProperties(random, packet, (items) => [...items, ...items]),
  (random, packet) =>
    withProperties(random, packet, (items) => [...items, Buffer.from([random.between(0, 255)])]),
  (random, packet) => withLongProperties(random, packet),
  // In the frame.
  (random, packet) => framed(packet.first ^ (1 << random.between(0, 3)), bodyOf(packet)),
  (random, packet) => framed(random.between(0, 255), bodyOf(packet)),
  (random, packet) => withLength(packet, variable(random.pick(LENGTHS))),
  (random, packet) => withLength(packet, random.pick(BAD_LENGTHS)),
  (random, packet) => {
    const body = bodyOf(packet)
    return framed(packet.first, body.subarray(0, random.between(0, body.length)))
  },
  (random, packet) =>
    framed(packet.first, Buffer.concat([bodyOf(packet), random.bytes(random.between(1, 5))])),
  // In the bytes.
  (random, packet) => flipped(random, encode(packet)),
  (random, packet) => flipped(random, encode(packet)),
  (random, packet, other) => spliced(random, encode(packet), encode(other)),
  (random, packet) => {
    const bytes = encode(packet)
    return bytes.subarray(0, random.between(0, bytes.length))
  },
]

/** @param other where the end of a splice is taken from */
export function mutate(random: SeededRandom, packet: Packet, other: Packet): Buffer {
  return random.pick(MUTATIONS)(random, packet, other)
}

/** Puts something else in the place of one of the fields that `is` accepts, where there is one. */
function replaced(
  random: SeededRandom,
  packet: Packet,
  is: (field: Field) => boolean,
  change: (field: Field) => readonly Field[],
): Buffer {
  const places = [...packet.fields.keys()].filter((at) => {
    const field = packet.fields[at]
    return field !== undefined && is(field)
  })
  if (places.length === 0) return flipped(random, encode(packet))
  const place = random.pick(places)
  const fields = packet.fields.flatMap((field, at) => (at === place ? change(field) : [field]))
  return encode({ ...packet, fields })
}

function withField(
  random: SeededRandom,
  packet: Packet,
  change: (field: Field) => readonly Field[],
): Buffer {
  return replaced(random, packet, () => true, change)
}

function withText(random: SeededRandom, packet: Packet, bytes: () => Buffer): Buffer {
  const is = ({ kind }: Field) => kind === 'text'
  return replaced(random, packet, is, () => [text(bytes())])
}

function withProperties(
  random: SeededRandom,
  packet: Packet,
  change: (items: readonly Buffer[]) => readonly Buffer[],
): Buffer {
  const is = ({ kind }: Field) => kind === 'properties'
  return replaced(random, packet, is, (field) =>
    field.kind === 'properties' ? [{ ...field, items: change(field.items) }] : [field],
  )
}

/** Properties that say they are longer than the packet, or than anything. */
function withLongProperties(random: SeededRandom, packet: Packet): Buffer {
  const is = ({ kind }: Field) => kind === 'properties'
  return replaced(random, packet, is, (field) => {
    const length = random.chance(0.5) ? variable(random.pick(LENGTHS)) : random.pick(BAD_LENGTHS)
    const items = field.kind === 'properties' ? field.items : []
    return [{ kind: 'plain', bytes: Buffer.concat([length, ...items]) }]
  })
}

/** Its last bytes are missing, whatever its own length says. */
function cutOff(random: SeededRandom, field: Field): Field {
  const bytes = encodeField(field)
  return {
    kind: 'plain',
    bytes: bytes.subarray(0, random.between(0, Math.max(0, bytes.length - 1))),
  }
}

function withLength(packet: Packet, length: Buffer): Buffer {
  return Buffer.concat([Buffer.from([packet.first]), length, bodyOf(packet)])
}

/** Up to 4 bits are turned over. */
function flipped(random: SeededRandom, bytes: Buffer): Buffer {
  const out = Buffer.from(bytes)
  for (let left = random.between(1, 4); left > 0; left -= 1) {
    const at = random.between(0, out.length - 1)
    out[at] = (out[at] ?? 0) ^ (1 << random.between(0, 7))
  }
  return out
}

/** The beginning of one and the end of another. */
function spliced(random: SeededRandom, one: Buffer, other: Buffer): Buffer {
  const head = one.subarray(0, random.between(1, one.length))
  return Buffer.concat([head, other.subarray(random.between(0, other.length))])
}
