/** The CONNACK that lets a client in (3.2), with what the relay takes where that is less than all. */
import { LIMITS } from '../limits.ts'
import { variable } from './variable.ts'
import { PACKET, REASON, type Version } from './wire.ts'

export type Welcome = {
  /** Whether an earlier session goes on [MQTT-3.2.2-2]. */
  readonly isSessionPresent: boolean
  /** The client id that the relay has chosen (3.2.2.3.7). */
  readonly assignedId: string | undefined
  /** Seconds that the session outlives the connection, where the client has asked for more. */
  readonly sessionExpiryS: number | undefined
}

const ID = {
  sessionExpiryInterval: 0x11,
  assignedClientIdentifier: 0x12,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  maximumPacketSize: 0x27,
} as const

export function encodeConnack(welcome: Welcome, version: Version): Buffer {
  // MQTT 3.1 knows no session present.
  const isPresent = welcome.isSessionPresent && version !== 3
  const head = Buffer.from([isPresent ? 1 : 0, REASON.success])
  const body = version === 5 ? Buffer.concat([head, propertiesOf(welcome)]) : head
  return Buffer.concat([Buffer.from([PACKET.connack << 4]), variable(body.length), body])
}

function propertiesOf({ assignedId, sessionExpiryS }: Welcome): Buffer {
  const parts = [
    uint16(ID.receiveMaximum, LIMITS.receiveMax),
    uint16(ID.topicAliasMaximum, LIMITS.topicAliasMax),
    uint32(ID.maximumPacketSize, LIMITS.packetBytesMax),
  ]
  if (sessionExpiryS !== undefined) parts.push(uint32(ID.sessionExpiryInterval, sessionExpiryS))
  if (assignedId !== undefined) {
    parts.push(uint16(ID.assignedClientIdentifier, Buffer.byteLength(assignedId)))
    parts.push(Buffer.from(assignedId))
  }
  const properties = Buffer.concat(parts)
  return Buffer.concat([variable(properties.length), properties])
}

function uint16(id: number, value: number): Buffer {
  const part = Buffer.from([id, 0, 0])
  part.writeUInt16BE(value, 1)
  return part
}

function uint32(id: number, value: number): Buffer {
  const part = Buffer.from([id, 0, 0, 0, 0])
  part.writeUInt32BE(value, 1)
  return part
}
