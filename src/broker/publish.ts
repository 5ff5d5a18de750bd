/** PUBLISH packets: read in place as they come from clients, written as they go to devices. */
import { isUtf8 } from 'node:buffer'
import type { Outgoing } from '../delivery/port.ts'
import { RelayError } from '../errors.ts'
import type { Frame } from './framer.ts'
import {
  encodeProperties,
  NO_PROPERTIES,
  type PublishProperties,
  readProperties,
} from './properties.ts'
import { Reader } from './reader.ts'
import { variable } from './variable.ts'
import { PACKET, type Version } from './wire.ts'

/** A PUBLISH from a client. The payload still lies in the packet that it came in. */
export type Publish = {
  /** Empty where a topic alias stands for it. */
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly isRetained: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
  readonly payload: Buffer
  readonly properties: PublishProperties
  /** What the properties take in the packet. */
  readonly propertiesBytes: number
}

const DUP = 0x08
const RETAIN = 0x01

/**
 * @throws BAD_PACKET for QoS 3 [MQTT-3.3.1-4], DUP with QoS 0 [MQTT-3.3.1-2], packet identifier 0
 *   [MQTT-2.2.1-3], a topic that is no UTF-8 [MQTT-1.5.4-1], has wildcards [MQTT-3.3.2-2] or U+0000
 *   [MQTT-1.5.4-2], or is empty without an alias (3.3.2.1), or anything cut off
 */
export function readPublish({ bytes, bodyAt }: Frame, version: Version): Publish {
  const flags = bytes[0] ?? 0
  const qos = (flags >> 1) & 0x03
  if (qos === 3) throw malformed('QoS 3')
  if (qos === 0 && (flags & DUP) !== 0) throw malformed('DUP with QoS 0')
  const end = bytes.length
  const topicAt = bodyAt + 2
  const topicEnd = end < topicAt ? end + 1 : topicAt + bytes.readUInt16BE(bodyAt)
  const restAt = topicEnd + (qos > 0 ? 2 : 0)
  if (restAt > end) throw malformed('it is cut off')
  const topic = bytes.toString('utf8', topicAt, topicEnd)
  // Decoding puts U+FFFD where bytes are no UTF-8; some topics have it themselves.
  if (topic.includes('\uFFFD') && !isUtf8(bytes.subarray(topicAt, topicEnd))) {
    throw malformed('its topic is no UTF-8')
  }
  if (/[+#\0]/.test(topic)) throw malformed('its topic has a wildcard or U+0000')
  const packetId = qos > 0 ? bytes.readUInt16BE(topicEnd) : 0
  if (qos > 0 && packetId === 0) throw malformed('its packet identifier is 0')
  // Most have none, and need no reader.
  const isBare = version !== 5 || bytes[restAt] === 0
  const reader = isBare ? undefined : new Reader('a PUBLISH', bytes, restAt, end)
  const properties: PublishProperties =
    reader === undefined ? NO_PROPERTIES : readProperties(reader, 'publish')
  const payloadAt = reader?.at ?? restAt + (version === 5 ? 1 : 0)
  if (topic === '' && properties.topicAlias === undefined) throw malformed('its topic is empty')
  return {
    topic,
    qos: qos as 0 | 1 | 2,
    isRetained: (flags & RETAIN) !== 0,
    packetId,
    payload: bytes.subarray(payloadAt),
    properties,
    propertiesBytes: payloadAt - restAt,
  }
}

function malformed(what: string): RelayError {
  return new RelayError('BAD_PACKET', `a PUBLISH is malformed: ${what}`)
}

/** The whole packet in one buffer; bytes of the payload are copied once. */
export function encodePublish(outgoing: Outgoing, version: Version): Buffer {
  const { topic, payload, qos, packetId } = outgoing
  const properties = version === 5 ? encodeProperties(outgoing) : undefined
  const topicBytes = Buffer.byteLength(topic)
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + (properties?.length ?? 0) + payload.length
  const lengthBytes = variable(length)
  const packet = Buffer.allocUnsafe(1 + lengthBytes.length + length)
  const flags = (outgoing.isDuplicate ? DUP : 0) | (outgoing.isRetained === true ? RETAIN : 0)
  packet[0] = (PACKET.publish << 4) | flags | (qos << 1)
  let at = 1 + lengthBytes.copy(packet, 1)
  at = packet.writeUInt16BE(topicBytes, at)
  at += packet.write(topic, at)
  if (qos > 0) at = packet.writeUInt16BE(packetId, at)
  if (properties !== undefined) at += properties.copy(packet, at)
  packet.set(payload, at)
  return packet
}
