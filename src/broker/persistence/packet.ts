/**
 * Packets as aedes hands them over and wants them back, and how they are stored: a CBOR map of
 * their fields. Order of user properties is kept [MQTT-3.3.2-18]; any property name is safe.
 */
import { decode, encode } from 'cborg'

/** MQTT 5 properties, as mqtt-packet has them. */
export type PacketProperties = { correlationData?: Uint8Array; [name: string]: unknown }

/** A PUBLISH, or the PUBREL that took its place in a queue. */
export type Packet = {
  cmd?: string
  topic?: string
  payload?: Uint8Array | string
  qos?: number
  retain?: boolean
  dup?: boolean
  messageId?: number | undefined
  /** Who numbered the packet; with `brokerCounter`, aedes' name for it. */
  brokerId?: string | undefined
  brokerCounter?: number | undefined
  properties?: PacketProperties
  /** Wall-clock milliseconds at which aedes drops it. */
  messageExpiry?: number
  /** Who published it. */
  clientId?: string
  nl?: boolean
}

/** What a queued or unfinished packet keeps; all else belongs to the connection it came from. */
const QUEUED_FIELDS = [
  'cmd',
  'topic',
  'payload',
  'qos',
  'retain',
  'dup',
  'messageId',
  'brokerId',
  'brokerCounter',
  'properties',
  'messageExpiry',
  'clientId',
  'nl',
] as const satisfies readonly (keyof Packet)[]

// A stable sort by nothing: fields and user properties stay in their order.
const ENCODING = { ignoreUndefinedProperties: true, mapSorter: () => 0 }

/** A copy with the fields that a queue keeps, and defaults for those that a PUBLISH has to have. */
export function queued(packet: Packet): Packet {
  const fields = QUEUED_FIELDS.filter((field) => packet[field] !== undefined)
  const kept = Object.fromEntries(fields.map((field) => [field, packet[field]]))
  return { cmd: 'publish', payload: Buffer.alloc(0), qos: 0, retain: false, dup: false, ...kept }
}

/** The stored form of a packet: every field that is data. */
export function encodePacket(packet: Packet): Uint8Array {
  const data = Object.entries(packet).filter(([, value]) => typeof value !== 'function')
  return encode(Object.fromEntries(data), ENCODING)
}

/** The packet that `encodePacket` stored, bytes as Buffers. */
export function decodePacket(value: Uint8Array): Packet {
  const packet = decode(value) as Packet
  if (packet.payload instanceof Uint8Array) packet.payload = asBuffer(packet.payload)
  const data = packet.properties?.correlationData
  if (packet.properties !== undefined && data !== undefined) {
    packet.properties.correlationData = asBuffer(data)
  }
  return packet
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
