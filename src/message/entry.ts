/**
 * Entries, the records of the journal, and their bytes: one CBOR array each, its first element
 * the kind. A reader of a later version finds new fields at the end.
 *
 *     [1, hlc, id, from, to, atMs, clock, expiresAfterS, qos, payload, properties|null]   message
 *     [2, hlc, kind, key, value|null]                                                      state
 */
import { decode, encode } from 'cborg'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ClockQuality } from '../clock.ts'
import { RelayError } from '../errors.ts'
import { CborWriter, headBytes, numberBytes } from './cbor-writer.ts'
import type { Message, Properties } from './message.ts'
import { messageId, userId } from './names.ts'

/** A last-writer-wins record; `value` null says that it was removed. */
export type StateRecord = { readonly kind: string; readonly key: string; readonly value: unknown }

/** One journal record. `hlc` is the stamp that orders entries (see clock.ts). */
export type Entry =
  | { readonly kind: 'message'; readonly hlc: number; readonly message: Message }
  | { readonly kind: 'state'; readonly hlc: number; readonly record: StateRecord }

const KIND = { message: 1, state: 2 } as const

const CLOCKS = ['none', 'device', 'peer', 'ntp', 'gps'] as const satisfies readonly ClockQuality[]

export function encodeEntry(entry: Entry): Uint8Array {
  switch (entry.kind) {
    case 'message':
      return encodeMessage(entry.hlc, entry.message)
    case 'state': {
      const { kind, key, value } = entry.record
      return encode([KIND.state, entry.hlc, kind, key, value])
    }
  }
}

/** The kind of an encoded entry, without decoding the rest (which may be a large payload). */
export function isStateEntry(bytes: Uint8Array): boolean {
  return bytes[1] === KIND.state
}

/** @see isStateEntry */
export function isMessageEntry(bytes: Uint8Array): boolean {
  return bytes[1] === KIND.message
}

const FIELDS = 11

/** Runs for each message, so it does without the codec where that can be had. */
function encodeMessage(hlc: number, message: Message): Uint8Array {
  const { id, from, to, expiresAfterS, qos, payload } = message
  const { atMs, clock } = message.accepted
  const properties = message.properties === undefined ? undefined : encode(message.properties)
  const names = id.length + from.length + to.length
  const heads =
    headBytes(hlc) +
    headBytes(id.length) +
    headBytes(from.length) +
    headBytes(to.length) +
    numberBytes(atMs) +
    headBytes(expiresAfterS) +
    headBytes(payload.length)
  // One byte each: the array, the kind, the clock, the QoS.
  const size = 4 + heads + names + payload.length + (properties?.length ?? 1)
  const writer = new CborWriter(size)
  writer.array(FIELDS)
  writer.uint(KIND.message)
  writer.uint(hlc)
  writer.ascii(id)
  writer.ascii(from)
  writer.ascii(to)
  // A clock that was never set may stand before 1970.
  writer.number(atMs)
  writer.uint(CLOCKS.indexOf(clock))
  writer.uint(expiresAfterS)
  writer.uint(qos)
  writer.binary(payload)
  if (properties === undefined) writer.null()
  else writer.encoded(properties)
  return writer.bytes
}

const Whole = Type.Integer({ minimum: 0 })
const Bytes = Type.Unsafe<Uint8Array>(
  Type.Refine(Type.Unknown(), (value) => value instanceof Uint8Array),
)
const PropertiesSchema = Type.Object(
  {
    payloadFormatIndicator: Type.Optional(Type.Integer({ minimum: 0, maximum: 1 })),
    contentType: Type.Optional(Type.String()),
    responseTopic: Type.Optional(Type.String()),
    correlationData: Type.Optional(Bytes),
    userProperties: Type.Optional(Type.Array(Type.Tuple([Type.String(), Type.String()]))),
  },
  { additionalProperties: false },
)
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

const isMessage = Compile(
  Type.Tuple([
    Type.Literal(KIND.message),
    Whole,
    Type.String(),
    Type.String(),
    Type.String(),
    Type.Number(),
    Type.Integer({ minimum: 0, maximum: CLOCKS.length - 1 }),
    Whole,
    Type.Integer({ minimum: 1, maximum: 2 }),
    Bytes,
    orNull(PropertiesSchema),
  ]),
)
const isState = Compile(
  Type.Tuple([Type.Literal(KIND.state), Whole, Type.String(), Type.String(), Type.Unknown()]),
)

/** @throws BAD_ENTRY, and nothing else, for bytes that are no entry */
export function decodeEntry(bytes: Uint8Array): Entry {
  let fields: unknown
  try {
    fields = decode(bytes)
    if (isMessage.Check(fields))
      return { kind: 'message', hlc: fields[1], message: message(fields) }
  } catch (cause) {
    throw new RelayError('BAD_ENTRY', `an entry of ${bytes.length} bytes cannot be read`, { cause })
  }
  if (isState.Check(fields)) {
    const [, hlc, kind, key, value] = fields
    return { kind: 'state', hlc, record: { kind, key, value } }
  }
  throw new RelayError('BAD_ENTRY', `an entry of ${bytes.length} bytes has unknown fields`)
}

type MessageFields = ReturnType<typeof isMessage.Parse>

function message(fields: MessageFields): Message {
  const [, , id, from, to, atMs, clock, expiresAfterS, qos, payload, properties] = fields
  return {
    id: messageId(id),
    from: userId(from),
    to: userId(to),
    accepted: { atMs, clock: CLOCKS[clock] ?? 'none' },
    expiresAfterS,
    qos: qos === 2 ? 2 : 1,
    payload,
    ...(properties === null ? {} : { properties: properties as Properties }),
  }
}
