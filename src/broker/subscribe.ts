/** SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10): read whole before anything is done; and their answers. */
import type { Frame } from './framer.ts'
import { readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { variable } from './variable.ts'
import { PACKET, type Version } from './wire.ts'

/** One filter that a client asks for, with the options of MQTT 5 (3.8.3.1). */
export type Request = {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly isNoLocal: boolean
  readonly isAsPublished: boolean
  /** Whether retained messages are wanted: `new` where the subscription is. */
  readonly retained: 'always' | 'new' | 'never'
}

export type Subscribe = {
  readonly packetId: number
  /** In the order of the client. */
  readonly requests: readonly Request[]
  /** Subscription Identifier of all of them. */
  readonly identifier: number | undefined
}

export type Unsubscribe = { readonly packetId: number; readonly filters: readonly string[] }

const OPTION = {
  qos: 0x03,
  noLocal: 0x04,
  asPublished: 0x08,
  retainHandling: 0x30,
  reserved: 0xc0,
} as const

const RETAIN_HANDLING = ['always', 'new', 'never'] as const

/**
 * Whether filters can be granted is not decided here; a malformed one gets a reason code of its own.
 * @throws BAD_PACKET for a packet that is cut off, has packet identifier 0 or QoS 3
 *   [MQTT-3.8.3-5], or text that is no UTF-8
 * @throws PROTOCOL_ERROR for one without a filter [MQTT-3.8.3-2], with retain handling 3, or
 *   with no local on a shared subscription [MQTT-3.8.3-4]
 */
export function readSubscribe({ bytes, bodyAt }: Frame, version: Version): Subscribe {
  const reader = new Reader('a SUBSCRIBE', bytes, bodyAt, bytes.length)
  const packetId = reader.packetId()
  const properties = version === 5 ? readProperties(reader, 'subscribe') : {}
  if (reader.isDone) throw reader.protocolError('it has no filter')
  const requests: Request[] = []
  while (!reader.isDone) {
    const filter = reader.text()
    requests.push(readOptions(reader, reader.byte(), filter, version))
  }
  return { packetId, requests, identifier: properties.subscriptionIdentifier }
}

function readOptions(reader: Reader, options: number, filter: string, version: Version): Request {
  const reserved = version === 5 ? OPTION.reserved : 0xff & ~OPTION.qos
  if ((options & reserved) !== 0) throw reader.malformed('reserved bits of a filter are set')
  const qos = options & OPTION.qos
  if (qos === 3) throw reader.malformed('a filter has QoS 3')
  const retained = RETAIN_HANDLING[(options & OPTION.retainHandling) >> 4]
  if (retained === undefined) throw reader.protocolError('a filter has retain handling 3')
  const isNoLocal = (options & OPTION.noLocal) !== 0
  if (isNoLocal && filter.startsWith('$share/')) {
    throw reader.protocolError('a shared subscription has no local')
  }
  const isAsPublished = (options & OPTION.asPublished) !== 0
  return { filter, qos: qos as 0 | 1 | 2, isNoLocal, isAsPublished, retained }
}

/**
 * @throws BAD_PACKET for a packet that is cut off, has packet identifier 0, or text that is no UTF-8
 * @throws PROTOCOL_ERROR for one without a filter [MQTT-3.10.3-2]
 */
export function readUnsubscribe({ bytes, bodyAt }: Frame, version: Version): Unsubscribe {
  const reader = new Reader('an UNSUBSCRIBE', bytes, bodyAt, bytes.length)
  const packetId = reader.packetId()
  if (version === 5) readProperties(reader, 'unsubscribe')
  if (reader.isDone) throw reader.protocolError('it has no filter')
  const filters: string[] = []
  while (!reader.isDone) filters.push(reader.text())
  return { packetId, filters }
}

/** @param codes one for each filter, in the order of the filters [MQTT-3.9.3-1] */
export function encodeSuback(packetId: number, codes: readonly number[], version: Version): Buffer {
  return encodeCodes(PACKET.suback, packetId, codes, version)
}

/** @param codes one for each filter; 3.1.1 has none (3.11) */
export function encodeUnsuback(
  packetId: number,
  codes: readonly number[],
  version: Version,
): Buffer {
  return encodeCodes(PACKET.unsuback, packetId, version === 5 ? codes : [], version)
}

function encodeCodes(
  type: number,
  packetId: number,
  codes: readonly number[],
  version: Version,
): Buffer {
  const head = Buffer.alloc(version === 5 ? 3 : 2)
  head.writeUInt16BE(packetId)
  const length = variable(head.length + codes.length)
  return Buffer.concat([Buffer.from([type << 4]), length, head, Buffer.from(codes)])
}
