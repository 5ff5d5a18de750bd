/** Numbers of the MQTT wire, and the small packets that we write ourselves. */
import { variable } from './variable.ts'

/** Packet types (first four bits of a packet). */
export const PACKET = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const

/** MQTT 5 reason codes that we send, or make of what clients send (2.4). */
export const REASON = {
  success: 0x00,
  disconnectWithWill: 0x04,
  noSubscriptionExisted: 0x11,
  malformedPacket: 0x81,
  protocolError: 0x82,
  unsupportedProtocol: 0x84,
  notAuthorized: 0x87,
  serverShuttingDown: 0x8b,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  packetIdentifierNotFound: 0x92,
} as const

/** From here on a reason code means failure. */
export const FAILURE = 0x80

/** MQTT 3.1 is 3, 3.1.1 is 4, 5 is 5. */
export type Version = 3 | 4 | 5

/** The type of a packet. */
export function packetType(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) >> 4
}

/** The packet identifier that begins the body of an acknowledgement; 0 for one cut short. */
export function ackPacketId({ bytes, bodyAt }: { bytes: Buffer; bodyAt: number }): number {
  return bytes.length < bodyAt + 2 ? 0 : bytes.readUInt16BE(bodyAt)
}

/** The reason code of an MQTT 5 acknowledgement; absent means success (3.4.2.1). */
export function ackReason({ bytes, bodyAt }: { bytes: Buffer; bodyAt: number }): number {
  return bytes[bodyAt + 2] ?? REASON.success
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP; only MQTT 5 tells a reason other than success. */
export function encodeAck(
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
  version: Version,
  reason: number = REASON.success,
): Buffer {
  const hasReason = version === 5 && reason !== REASON.success
  const flags = type === 'pubrel' ? 0x02 : 0
  const ack = Buffer.allocUnsafe(hasReason ? 5 : 4)
  ack[0] = (PACKET[type] << 4) | flags
  ack[1] = ack.length - 2
  ack.writeUInt16BE(packetId, 2)
  if (hasReason) ack[4] = reason
  return ack
}

/** An MQTT 5 DISCONNECT from the server (3.14). */
export function encodeDisconnect(reason: number): Buffer {
  return Buffer.from([PACKET.disconnect << 4, 1, reason])
}

const REASON_STRING = 0x1f
/** A reason string is for a person who reads a log. */
const REASON_BYTES_MAX = 256

/**
 * A packet of MQTT 5 that ends with its reason code, with a reason string after it (3.4.2.2.2).
 * @param bytesMax the longest packet that the client takes; where that is too short, the packet
 *   stays as it is [MQTT-3.4.2-2]
 */
export function explained(packet: Buffer, text: string, bytesMax: number): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > REASON_BYTES_MAX) return packet
  const size = Buffer.alloc(2)
  size.writeUInt16BE(bytes.length)
  const property = Buffer.concat([Buffer.from([REASON_STRING]), size, bytes])
  const properties = Buffer.concat([variable(property.length), property])
  const length = packet.length - 2 + properties.length
  const head = Buffer.concat([packet.subarray(0, 1), variable(length)])
  const whole = Buffer.concat([head, packet.subarray(2), properties])
  return whole.length > bytesMax ? packet : whole
}
