/**
 * The SUBSCRIBE packet, as far as the front has to know it. aedes does work for each filter that
 * grows with the number of all, and ends the process for one name; such packets it never sees.
 */
import { isUtf8 } from 'node:buffer'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Frame } from './framer.ts'
import { readVariable, variable } from './variable.ts'
import { PACKET, REASON, type Version } from './wire.ts'

/** aedes gathers the filters of a packet in a plain object, where this one is no key. */
const NO_KEY = '__proto__'

/**
 * The SUBACK that refuses the whole packet, for one that would give its session more filters than
 * it may have, or that has a filter which cannot be granted; `undefined` where aedes may have it.
 * @param known the filters that the session has
 * @throws BAD_PACKET for a packet that is cut off, has no filter [MQTT-3.8.3-2], packet identifier
 *   0, or text that is no UTF-8
 */
export function refusalOf(
  frame: Frame,
  version: Version,
  known: readonly string[],
): Buffer | undefined {
  const { packetId, filters } = readSubscribe(frame, version)
  if (new Set([...known, ...filters]).size > LIMITS.filtersPerSessionMax) {
    return encodeSuback(packetId, filters.length, version, REASON.quotaExceeded)
  }
  if (filters.includes(NO_KEY)) {
    return encodeSuback(packetId, filters.length, version, REASON.notAuthorized)
  }
  return undefined
}

/** @throws BAD_PACKET */
export function readSubscribe(
  { bytes, bodyAt }: Frame,
  version: Version,
): { packetId: number; filters: string[] } {
  const packetId = uint16(bytes, bodyAt)
  if (packetId === 0) throw malformed('its packet identifier is 0')
  const filters: string[] = []
  for (let at = filtersAt(bytes, bodyAt + 2, version); at < bytes.length; ) {
    const end = at + 2 + uint16(bytes, at)
    if (end >= bytes.length) throw malformed('it is cut off')
    const filter = bytes.subarray(at + 2, end)
    if (!isUtf8(filter)) throw malformed('a filter is no UTF-8')
    filters.push(filter.toString())
    at = end + 1
  }
  if (filters.length === 0) throw malformed('it has no filter')
  return { packetId, filters }
}

function filtersAt(bytes: Buffer, at: number, version: Version): number {
  if (version !== 5) return at
  const properties = readVariable(bytes, at)
  if (properties === undefined) throw malformed('it is cut off')
  return properties.end + properties.value
}

function uint16(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length) throw malformed('it is cut off')
  return bytes.readUInt16BE(at)
}

function malformed(what: string): RelayError {
  return new RelayError('BAD_PACKET', `a SUBSCRIBE is malformed: ${what}`)
}

/** 3.1.1 has one code for every failure (3.9.3). */
const FAILED = 0x80

/** A SUBACK with the same answer for every filter. */
function encodeSuback(packetId: number, count: number, version: Version, reason: number): Buffer {
  const head = Buffer.alloc(version === 5 ? 3 : 2)
  head.writeUInt16BE(packetId)
  const codes = Buffer.alloc(count, version === 5 ? reason : FAILED)
  const length = variable(head.length + codes.length)
  return Buffer.concat([Buffer.from([PACKET.suback << 4]), length, head, codes])
}
