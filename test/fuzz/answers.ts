/**
 * Answers as short texts, from the request that they are owed to and from the bytes that came:
 *
 *     puback 7    pubrec 7    pubcomp 7    suback 7    unsuback 7    pingresp
 */
import type { Frame } from '../../src/broker/framer.ts'
import { ackPacketId, PACKET, packetType } from '../../src/broker/wire.ts'
import { frameOf } from '../broker/frame.ts'
import { encode, type Packet } from './packet.ts'

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PACKET).map(([name, type]) => [type, name]),
)

/** Requests that name their packet identifier first, and the type of their answer. */
const ANSWERS: ReadonlyMap<number, number> = new Map([
  [PACKET.pubrel, PACKET.pubcomp],
  [PACKET.subscribe, PACKET.suback],
  [PACKET.unsubscribe, PACKET.unsuback],
])

const named = (type: number, packetId: number): string => `${NAMES.get(type)} ${packetId}`

/** What a well-formed packet is to be answered with; nothing where it is not. */
export function answerTo(packet: Packet): string[] {
  const frame = frameOf(encode(packet))
  const type = packetType(frame.bytes)
  if (type === PACKET.pingreq) return ['pingresp']
  if (type === PACKET.publish) return answerToPublish(frame)
  const answer = ANSWERS.get(type)
  return answer === undefined ? [] : [named(answer, ackPacketId(frame))]
}

function answerToPublish({ bytes, bodyAt }: Frame): string[] {
  const qos = ((bytes[0] ?? 0) >> 1) & 3
  if (qos === 0) return []
  const idAt = bodyAt + 2 + bytes.readUInt16BE(bodyAt)
  return [named(qos === 1 ? PACKET.puback : PACKET.pubrec, bytes.readUInt16BE(idAt))]
}

/** What a packet from the relay answers. */
export function answerIn(frame: Frame): string {
  const type = packetType(frame.bytes)
  return type === PACKET.pingresp ? 'pingresp' : named(type, ackPacketId(frame))
}
