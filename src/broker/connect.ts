/** The CONNECT packet (3.1): read and checked whole, before anything is done about it. */
import { RelayError } from '../errors.ts'
import { isTopicName } from '../message/topic.ts'
import type { Frame } from './framer.ts'
import type { Will } from './ordinary/wills.ts'
import { type ClientProperties, NO_PROPERTIES, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { PACKET, REASON, type Version } from './wire.ts'

export type Connect = {
  readonly version: Version
  /** Empty where the relay is to choose one. */
  readonly clientId: string
  /** Clean Session of 3.1.1, Clean Start of MQTT 5: no earlier session is gone on with. */
  readonly isClean: boolean
  /** QoS 1 and 2 publishes that the client takes unacknowledged (3.1.2.11.3). */
  readonly receiveMaximum: number
  /** The longest packet that the client takes, bytes (3.1.2.11.4). */
  readonly packetBytesMax: number
  /** Seconds that the session outlives the connection, as far as MQTT 5 says so (3.1.2.11.2). */
  readonly sessionExpiryS: number
  readonly will: Will | undefined
  /** Whether it is told in words what went wrong (3.1.2.11.7). */
  readonly wantsReasons: boolean
}

const FLAG = {
  reserved: 0x01,
  clean: 0x02,
  will: 0x04,
  willQos: 0x18,
  willRetain: 0x20,
  password: 0x40,
  userName: 0x80,
} as const

const RECEIVE_MAXIMUM_DEFAULT = 65_535

/**
 * @throws BAD_PACKET for bytes that are no CONNECT
 * @throws PROTOCOL_ERROR for a property that it must not have
 * @throws BAD_TOPIC for a will that can never be published
 * @throws PROTOCOL_VERSION for a protocol that the relay does not speak [MQTT-3.1.2-2]
 * @throws AUTH_METHOD for enhanced authentication, which the relay does not have [MQTT-4.12.0-1]
 */
export function readConnect({ bytes, bodyAt }: Frame): Connect {
  const reader = new Reader('a CONNECT', bytes, bodyAt, bytes.length)
  const version = readVersion(reader)
  const flags = reader.byte()
  checkFlags(reader, flags, version)
  reader.uint16()
  const properties = version === 5 ? readProperties(reader, 'connect') : {}
  const clientId = reader.text()
  const will = (flags & FLAG.will) === 0 ? undefined : readWill(reader, flags, version)
  if ((flags & FLAG.userName) !== 0) reader.text()
  if ((flags & FLAG.password) !== 0) reader.binary()
  reader.end()
  checkAuthentication(reader, properties)
  return {
    version,
    clientId,
    isClean: (flags & FLAG.clean) !== 0,
    receiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT,
    packetBytesMax: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    sessionExpiryS: properties.sessionExpiryInterval ?? 0,
    will,
    wantsReasons: version === 5 && properties.requestProblemInformation !== 0,
  }
}

/** [MQTT-3.1.2-1] [MQTT-3.1.2-2] */
function readVersion(reader: Reader): Version {
  const name = reader.text()
  const level = reader.byte()
  if (name === 'MQIsdp' && level === 3) return 3
  if (name === 'MQTT' && (level === 4 || level === 5)) return level
  if (name !== 'MQTT' && name !== 'MQIsdp') throw reader.malformed('it is of another protocol')
  throw new RelayError(
    'PROTOCOL_VERSION',
    `${name} ${level} is not spoken here; MQIsdp 3, MQTT 4 (3.1.1) and MQTT 5 are`,
  )
}

/** [MQTT-3.1.2-3] [MQTT-3.1.2-11] to [MQTT-3.1.2-15]; of 3.1.1 also [MQTT-3.1.2-22] */
function checkFlags(reader: Reader, flags: number, version: Version): void {
  if ((flags & FLAG.reserved) !== 0) throw reader.malformed('its reserved flag is set')
  const hasWill = (flags & FLAG.will) !== 0
  if (!hasWill && (flags & (FLAG.willQos | FLAG.willRetain)) !== 0) {
    throw reader.malformed('it has flags of a will, but no will')
  }
  if ((flags & FLAG.willQos) === FLAG.willQos) throw reader.malformed('its will has QoS 3')
  const isNameless = (flags & FLAG.userName) === 0 && (flags & FLAG.password) !== 0
  if (version !== 5 && isNameless) throw reader.malformed('it has a password, but no user name')
}

function readWill(reader: Reader, flags: number, version: Version): Will {
  const found = version === 5 ? readProperties(reader, 'will') : NO_PROPERTIES
  const { willDelayInterval: delayS = 0, ...properties }: ClientProperties = found
  const topic = reader.text()
  if (!isTopicName(topic)) {
    throw new RelayError('BAD_TOPIC', `the will is for "${topic}", which is no topic name`)
  }
  return {
    topic,
    payload: Buffer.from(reader.binary()),
    qos: ((flags & FLAG.willQos) >> 3) as 0 | 1 | 2,
    isRetained: (flags & FLAG.willRetain) !== 0,
    properties,
    delayS,
  }
}

function checkAuthentication(reader: Reader, properties: ClientProperties): void {
  const { authenticationMethod, authenticationData } = properties
  if (authenticationMethod !== undefined) {
    const says = `the authentication method "${authenticationMethod}" is not supported; use user name and password`
    throw new RelayError('AUTH_METHOD', says)
  }
  if (authenticationData !== undefined) {
    throw reader.protocolError('it has authentication data, but no method')
  }
}

/** Return code of 3.1 and 3.1.1 for a protocol level that is not spoken (3.2.2.3). */
const UNACCEPTABLE_PROTOCOL = 0x01

/**
 * The CONNACK for a CONNECT that cannot be taken, where the client's protocol has one for that:
 * MQTT 5 for every reason (4.13), older ones for a protocol level that is not spoken.
 */
export function connackOf({ bytes, bodyAt }: Frame, reason: number): Buffer | undefined {
  if (bytes[0] !== PACKET.connect << 4) return undefined
  const level = bytes[bodyAt + 2 + nameBytes(bytes, bodyAt)] ?? 0
  // A client of a newer protocol than this relay knows reads at least the reason (3.1.2.2).
  if (level >= 5) return Buffer.from([PACKET.connack << 4, 3, 0, reason, 0])
  if (reason !== REASON.unsupportedProtocol) return undefined
  return Buffer.from([PACKET.connack << 4, 2, 0, UNACCEPTABLE_PROTOCOL])
}

function nameBytes(bytes: Buffer, bodyAt: number): number {
  return bytes.length < bodyAt + 2 ? 0 : bytes.readUInt16BE(bodyAt)
}
