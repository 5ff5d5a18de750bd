/**
 * The properties of MQTT 5 (2.2.2): those of every packet that a client may send, read in place;
 * those of a PUBLISH to a client, written.
 *
 *     | length of all, variable | id, 1 byte | value | id | value | …
 */
import type { Outgoing } from '../delivery/port.ts'
import type { Properties } from '../message/message.ts'
import type { Reader } from './reader.ts'
import { variable } from './variable.ts'

/** What has properties of its own in a packet from a client. */
export type Owner =
  | 'connect'
  | 'will'
  | 'publish'
  | 'acknowledgement'
  | 'subscribe'
  | 'unsubscribe'
  | 'disconnect'
  | 'auth'

/** Every property that a client may send, by the name that it has in the standard. */
export type ClientProperties = Properties & {
  readonly messageExpiryInterval?: number
  readonly subscriptionIdentifier?: number
  readonly sessionExpiryInterval?: number
  readonly authenticationMethod?: string
  readonly authenticationData?: Buffer
  readonly requestProblemInformation?: number
  readonly willDelayInterval?: number
  readonly requestResponseInformation?: number
  readonly reasonString?: string
  readonly receiveMaximum?: number
  readonly topicAliasMaximum?: number
  readonly topicAlias?: number
  readonly maximumPacketSize?: number
}

/** What a PUBLISH of a client says beside its topic and payload. */
export type PublishProperties = Properties &
  Pick<ClientProperties, 'messageExpiryInterval' | 'topicAlias'>

/** Of most packets. */
export const NO_PROPERTIES: PublishProperties = {}

type Read = (reader: Reader) => unknown

type Property = {
  readonly id: number
  readonly name: keyof ClientProperties
  readonly owners: readonly Owner[]
  readonly read: Read
}

const uint16: Read = (reader) => reader.uint16()
const uint32: Read = (reader) => reader.uint32()
const text: Read = (reader) => reader.text()
/** Kept longer than the packet that it came in. */
const binary: Read = (reader) => Buffer.from(reader.binary())
const flag: Read = (reader) => {
  const value = reader.byte()
  if (value > 1) throw reader.protocolError('a flag among its properties is neither 0 nor 1')
  return value
}
/** Where 0 would mean that nothing can ever be sent. */
const aboveZero =
  (read: Read): Read =>
  (reader) => {
    const value = read(reader)
    if (value === 0) throw reader.protocolError('a property is 0 that must not be')
    return value
  }
/** What is no topic name would make its recipient hang up, again at every delivery [MQTT-3.3.2-14]. */
const topicName: Read = (reader) => {
  const topic = reader.text()
  if (/[+#]/.test(topic)) throw reader.protocolError('a response topic has a wildcard')
  return topic
}

/** Table 2-4, without what only servers send. */
const TABLE: readonly Property[] = [
  { id: 0x01, name: 'payloadFormatIndicator', owners: ['publish', 'will'], read: flag },
  { id: 0x02, name: 'messageExpiryInterval', owners: ['publish', 'will'], read: uint32 },
  { id: 0x03, name: 'contentType', owners: ['publish', 'will'], read: text },
  { id: 0x08, name: 'responseTopic', owners: ['publish', 'will'], read: topicName },
  { id: 0x09, name: 'correlationData', owners: ['publish', 'will'], read: binary },
  {
    id: 0x0b,
    name: 'subscriptionIdentifier',
    owners: ['subscribe'],
    read: aboveZero((reader) => reader.variable()),
  },
  { id: 0x11, name: 'sessionExpiryInterval', owners: ['connect', 'disconnect'], read: uint32 },
  { id: 0x15, name: 'authenticationMethod', owners: ['connect', 'auth'], read: text },
  { id: 0x16, name: 'authenticationData', owners: ['connect', 'auth'], read: binary },
  { id: 0x17, name: 'requestProblemInformation', owners: ['connect'], read: flag },
  { id: 0x18, name: 'willDelayInterval', owners: ['will'], read: uint32 },
  { id: 0x19, name: 'requestResponseInformation', owners: ['connect'], read: flag },
  { id: 0x1f, name: 'reasonString', owners: ['acknowledgement', 'disconnect', 'auth'], read: text },
  { id: 0x21, name: 'receiveMaximum', owners: ['connect'], read: aboveZero(uint16) },
  { id: 0x22, name: 'topicAliasMaximum', owners: ['connect'], read: uint16 },
  { id: 0x23, name: 'topicAlias', owners: ['publish'], read: uint16 },
  { id: 0x27, name: 'maximumPacketSize', owners: ['connect'], read: aboveZero(uint32) },
]

const BY_ID = new Map(TABLE.map((property) => [property.id, property]))
const idOf = (name: keyof ClientProperties): number =>
  TABLE.find((property) => property.name === name)?.id ?? 0

/** The one that every packet may have, any number of times. */
const USER_PROPERTY = 0x26

/**
 * Reads the properties that come next in a packet.
 * @throws BAD_PACKET for properties that are cut off, unknown, or of another packet (2.2.2.2), and
 *   for text that is no UTF-8 or has U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 * @throws PROTOCOL_ERROR for one that stands twice or has a value that it must not have
 */
export function readProperties(packet: Reader, owner: Owner): ClientProperties {
  const reader = packet.part(packet.variable())
  const found: Record<string, unknown> = {}
  const pairs: [string, string][] = []
  while (!reader.isDone) {
    const id = reader.byte()
    if (id === USER_PROPERTY) pairs.push([reader.text(), reader.text()])
    else readOne(reader, id, owner, found)
  }
  if (pairs.length > 0) found['userProperties'] = pairs
  return found
}

function readOne(reader: Reader, id: number, owner: Owner, found: Record<string, unknown>): void {
  const property = BY_ID.get(id)
  if (property === undefined || !property.owners.includes(owner)) {
    throw reader.malformed(`property ${id} does not belong to it`)
  }
  if (property.name in found) throw reader.protocolError(`property ${property.name} stands twice`)
  found[property.name] = property.read(reader)
}

const ID = {
  payloadFormatIndicator: idOf('payloadFormatIndicator'),
  messageExpiryInterval: idOf('messageExpiryInterval'),
  contentType: idOf('contentType'),
  responseTopic: idOf('responseTopic'),
  correlationData: idOf('correlationData'),
  subscriptionIdentifier: idOf('subscriptionIdentifier'),
  userProperty: USER_PROPERTY,
} as const

/** No properties: a length of 0. */
const NO_BYTES = Buffer.alloc(1)

/** The bytes of the properties of a PUBLISH to a client, their length included. */
export function encodeProperties({
  properties,
  expiresInS,
  marks,
  identifiers = [],
}: Pick<Outgoing, 'properties' | 'expiresInS' | 'marks' | 'identifiers'>): Buffer {
  // Of most messages of ordinary topics.
  if (properties === undefined && expiresInS === undefined && marks === undefined) {
    if (identifiers.length === 0) return NO_BYTES
  }
  const parts: Buffer[] = []
  if (properties?.payloadFormatIndicator !== undefined) {
    parts.push(Buffer.from([ID.payloadFormatIndicator, properties.payloadFormatIndicator]))
  }
  if (expiresInS !== undefined) {
    const part = Buffer.allocUnsafe(5)
    part[0] = ID.messageExpiryInterval
    part.writeUInt32BE(expiresInS, 1)
    parts.push(part)
  }
  pushText(parts, ID.contentType, properties?.contentType)
  pushText(parts, ID.responseTopic, properties?.responseTopic)
  if (properties?.correlationData !== undefined) {
    parts.push(Buffer.from([ID.correlationData]), prefixed(Buffer.from(properties.correlationData)))
  }
  for (const [name, value] of [...(properties?.userProperties ?? []), ...(marks ?? [])]) {
    parts.push(
      Buffer.from([ID.userProperty]),
      prefixed(Buffer.from(name)),
      prefixed(Buffer.from(value)),
    )
  }
  // [MQTT-3.3.4-3]
  for (const identifier of identifiers) {
    parts.push(Buffer.from([ID.subscriptionIdentifier]), variable(identifier))
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([variable(body.length), body])
}

function pushText(parts: Buffer[], id: number, text: string | undefined): void {
  if (text !== undefined) parts.push(Buffer.from([id]), prefixed(Buffer.from(text)))
}

function prefixed(bytes: Buffer): Buffer {
  const size = Buffer.allocUnsafe(2)
  size.writeUInt16BE(bytes.length)
  return Buffer.concat([size, bytes])
}
