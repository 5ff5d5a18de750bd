/**
 * The SUBSCRIBE packet, as far as the front has to know it. aedes does work for each filter that
 * grows with the number of all, and ends the process for one name; such packets it never sees.
 */
import { LIMITS } from '../limits.ts'
import type { Frame } from './framer.ts'
import { readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { variable } from './variable.ts'
import { FAILURE, PACKET, REASON, type Version } from './wire.ts'

/** aedes gathers the filters of a packet in a plain object, where this one is no key. */
const NO_KEY = '__proto__'

/** What a client asks for; filters in its order. */
export type Subscribe = { readonly packetId: number; readonly filters: readonly string[] }

const OPTION = { qos: 0x03, noLocal: 0x04, retainHandling: 0x30, reserved: 0xc0 } as const

/**
 * The SUBACK that refuses the whole packet, for one that would give its session more filters than
 * it may have, or that has a filter which cannot be granted; `undefined` where aedes may have it.
 * @param known the filters that the session has
 */
export function refusalOf(
  { packetId, filters }: Subscribe,
  version: Version,
  known: readonly string[],
): Buffer | undefined {
  if (new Set([...known, ...filters]).size > LIMITS.filtersPerSessionMax) {
    return refused(packetId, filters, version, REASON.quotaExceeded)
  }
  if (filters.includes(NO_KEY)) {
    return refused(packetId, filters, version, REASON.notAuthorized)
  }
  return undefined
}

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
  if (version === 5) readProperties(reader, 'subscribe')
  if (reader.isDone) throw reader.protocolError('it has no filter')
  const filters: string[] = []
  while (!reader.isDone) {
    const filter = reader.text()
    checkOptions(reader, reader.byte(), filter, version)
    filters.push(filter)
  }
  return { packetId, filters }
}

function checkOptions(reader: Reader, options: number, filter: string, version: Version): void {
  const reserved = version === 5 ? OPTION.reserved : 0xff & ~OPTION.qos
  if ((options & reserved) !== 0) throw reader.malformed('reserved bits of a filter are set')
  if ((options & OPTION.qos) === OPTION.qos) throw reader.malformed('a filter has QoS 3')
  if ((options & OPTION.retainHandling) === OPTION.retainHandling) {
    throw reader.protocolError('a filter has retain handling 3')
  }
  if ((options & OPTION.noLocal) !== 0 && filter.startsWith('$share/')) {
    throw reader.protocolError('a shared subscription has no local')
  }
}

/** The same refusal for every filter. */
function refused(
  packetId: number,
  filters: readonly string[],
  version: Version,
  reason: number,
): Buffer {
  // 3.1.1 has one code for every failure (3.9.3).
  const code = version === 5 ? reason : FAILURE
  return encodeSuback(
    packetId,
    filters.map(() => code),
    version,
  )
}

/** @param codes one for each filter, in the order of the filters */
export function encodeSuback(packetId: number, codes: readonly number[], version: Version): Buffer {
  const head = Buffer.alloc(version === 5 ? 3 : 2)
  head.writeUInt16BE(packetId)
  const length = variable(head.length + codes.length)
  return Buffer.concat([Buffer.from([PACKET.suback << 4]), length, head, Buffer.from(codes)])
}
