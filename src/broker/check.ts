/**
 * What a client may send once it is signed in: each packet is checked whole before anything is
 * done about it; PUBLISH, SUBSCRIBE and UNSUBSCRIBE where they are read (2.1.3, 3.4 to 3.15, 4.13).
 */
import type { Frame } from './framer.ts'
import { type ClientProperties, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { PACKET, packetType, type Version } from './wire.ts'

/** What the checks have to know of the connection. */
export type Context = {
  readonly version: Version
  /** Seconds that the session outlives the connection, as CONNECT said. */
  readonly sessionExpiryS: number
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PACKET).map(([name, type]) => [type, name.toUpperCase()]),
)

/** [MQTT-2.1.3-1]: 2 where a packet is part of an exchange that the client begins, otherwise 0. */
const FLAGGED: ReadonlySet<number> = new Set([PACKET.pubrel, PACKET.subscribe, PACKET.unsubscribe])

/** Reason codes with which a client may leave (3.14.2.1). */
const LEAVING: ReadonlySet<number> = new Set([
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
])

/** Reason codes of PUBACK and PUBREC (3.4.2.1, 3.5.2.1), and of PUBREL and PUBCOMP. */
const PUBLISH_REASONS: ReadonlySet<number> = new Set([
  0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99,
])
const RELEASE_REASONS: ReadonlySet<number> = new Set([0x00, 0x92])

type Check = (reader: Reader, context: Context) => void

const CHECKS: ReadonlyMap<number, Check> = new Map<number, Check>([
  [PACKET.puback, acknowledgement(PUBLISH_REASONS)],
  [PACKET.pubrec, acknowledgement(PUBLISH_REASONS)],
  [PACKET.pubrel, acknowledgement(RELEASE_REASONS)],
  [PACKET.pubcomp, acknowledgement(RELEASE_REASONS)],
  // Read where they are decided, in subscribe.ts.
  [PACKET.subscribe, () => undefined],
  [PACKET.unsubscribe, () => undefined],
  [PACKET.pingreq, (reader) => reader.end()],
  [PACKET.disconnect, checkDisconnect],
])

/**
 * @throws BAD_PACKET for bytes that are no such packet
 * @throws PROTOCOL_ERROR for a packet that a client must not send, or not now: what only servers
 *   send, a second CONNECT [MQTT-3.1.0-2], AUTH where no method was agreed on (4.12)
 */
export function checkPacket({ bytes, bodyAt }: Frame, context: Context): void {
  const type = packetType(bytes)
  const reader = new Reader(`a ${NAMES.get(type) ?? 'packet'}`, bytes, bodyAt, bytes.length)
  const flags = (bytes[0] ?? 0) & 0x0f
  if (flags !== (FLAGGED.has(type) ? 0x02 : 0)) throw reader.malformed('its flags are not its own')
  const check = CHECKS.get(type)
  if (check === undefined) throw reader.protocolError('no client may send it, or not now')
  check(reader, context)
}

function acknowledgement(reasons: ReadonlySet<number>): Check {
  return (reader, { version }) => {
    reader.packetId()
    if (version === 5 && !reader.isDone) {
      const reason = reader.byte()
      if (!reasons.has(reason)) throw reader.protocolError(`it has reason ${reason}`)
      if (!reader.isDone) readProperties(reader, 'acknowledgement')
    }
    reader.end()
  }
}

function checkDisconnect(reader: Reader, { version, sessionExpiryS }: Context): void {
  let properties: ClientProperties = {}
  if (version === 5 && !reader.isDone) {
    const reason = reader.byte()
    if (!LEAVING.has(reason)) throw reader.protocolError(`it has reason ${reason}`)
    if (!reader.isDone) properties = readProperties(reader, 'disconnect')
  }
  reader.end()
  // 3.14.2.2.2
  if (sessionExpiryS === 0 && (properties.sessionExpiryInterval ?? 0) > 0) {
    throw reader.protocolError('a session that was to end with its connection cannot be kept')
  }
}
