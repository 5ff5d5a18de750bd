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
      return encode(messageFields(entry.hlc, entry.message))
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

function messageFields(hlc: number, message: Message): unknown[] {
  return [
    KIND.message,
    hlc,
    message.id,
    message.from,
    message.to,
    message.accepted.atMs,
    CLOCKS.indexOf(message.accepted.clock),
    message.expiresAfterS,
    message.qos,
    message.payload,
    message.properties ?? null,
  ]
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
