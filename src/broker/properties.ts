/**
 * The properties of an MQTT 5 PUBLISH (3.3.2.3), read in place and written.
 *
 *     | length of all, variable | id, 1 byte | value | id | value | …
 */
import { isUtf8 } from 'node:buffer'
import { RelayError } from '../errors.ts'
import type { Properties } from '../message/message.ts'
import { readVariable, variable } from './variable.ts'

/** What a PUBLISH of a client says beside its topic and payload. */
export type PublishProperties = Properties & {
  readonly messageExpiryInterval?: number
  readonly topicAlias?: number
}

const ID = {
  payloadFormatIndicator: 0x01,
  messageExpiryInterval: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  topicAlias: 0x23,
  userProperty: 0x26,
} as const

/** Where reading stands in a packet; every step checks that the bytes are there. */
class Cursor {
  readonly #bytes: Buffer
  readonly #end: number
  at: number

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes
    this.at = at
    this.#end = end
  }

  get isDone(): boolean {
    return this.at >= this.#end
  }

  #step(size: number): number {
    const from = this.at
    this.at += size
    if (this.at > this.#end) throw malformed('a property is cut off')
    return from
  }

  byte(): number {
    return this.#bytes[this.#step(1)] ?? 0
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#step(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#step(4))
  }

  binary(): Buffer {
    const size = this.uint16()
    const from = this.#step(size)
    return this.#bytes.subarray(from, from + size)
  }

  /** What is no text would make its recipient hang up, again at every delivery. */
  text(): string {
    const bytes = this.binary()
    if (!isUtf8(bytes) || bytes.includes(0)) {
      throw malformed('a property is no UTF-8, or has U+0000')
    }
    return bytes.toString()
  }
}

/**
 * Reads the properties at `at` of a packet that ends at `end`.
 * @returns the properties, and where the payload begins
 * @throws BAD_PACKET for properties that are cut off, unknown here, or doubled [MQTT-2.2.2], for
 *   text that is no UTF-8 or has U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2], for a payload format
 *   indicator beyond 1, and for a response topic that has a wildcard [MQTT-3.3.2-14]
 */
export function readProperties(
  bytes: Buffer,
  at: number,
  end: number,
): { properties: PublishProperties; payloadAt: number } {
  const length = readVariable(bytes.subarray(0, end), at)
  if (length === undefined) throw malformed('the length of its properties is cut off')
  const payloadAt = length.end + length.value
  if (payloadAt > end) throw malformed('the properties are longer than the packet')
  if (length.value === 0) return { properties: {}, payloadAt }
  const cursor = new Cursor(bytes, length.end, payloadAt)
  const found = new Map<number, unknown>()
  const userProperties: [string, string][] = []
  while (!cursor.isDone) readOne(cursor, found, userProperties)
  return { properties: collected(found, userProperties), payloadAt }
}

function readOne(cursor: Cursor, found: Map<number, unknown>, users: [string, string][]): void {
  const id = cursor.byte()
  if (id === ID.userProperty) {
    users.push([cursor.text(), cursor.text()])
    return
  }
  if (found.has(id)) throw malformed(`property ${id} stands twice`)
  found.set(id, readValue(id, cursor))
}

function readValue(id: number, cursor: Cursor): unknown {
  switch (id) {
    case ID.payloadFormatIndicator:
      return flag(cursor.byte())
    case ID.messageExpiryInterval:
      return cursor.uint32()
    case ID.topicAlias:
      return cursor.uint16()
    case ID.contentType:
      return cursor.text()
    case ID.responseTopic:
      return topicName(cursor.text())
    case ID.correlationData:
      // Kept longer than the packet that it came in.
      return Buffer.from(cursor.binary())
    default:
      throw malformed(`property ${id} does not belong to a PUBLISH from a client`)
  }
}

function flag(byte: number): number {
  if (byte > 1) throw malformed('a payload format indicator is neither 0 nor 1')
  return byte
}

function topicName(text: string): string {
  if (/[+#]/.test(text)) throw malformed('a response topic has a wildcard')
  return text
}

function collected(found: Map<number, unknown>, users: [string, string][]): PublishProperties {
  const properties: Record<string, unknown> = {}
  for (const [name, id] of Object.entries(ID)) {
    if (found.has(id)) properties[name] = found.get(id)
  }
  if (users.length > 0) properties['userProperties'] = users
  return properties
}

function malformed(what: string): RelayError {
  return new RelayError('BAD_PACKET', `a PUBLISH is malformed: ${what}`)
}

/** The bytes of the properties of a PUBLISH to a client, their length included. */
export function encodeProperties(
  properties: Properties | undefined,
  expiresInS: number | undefined,
  marks: readonly (readonly [string, string])[] | undefined,
): Buffer {
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
