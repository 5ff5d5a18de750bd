/**
 * A packet in parts, so that a mutation can take one out, double it or cut it, and still write
 * lengths that fit: what is wrong with such a packet lies deep, not in its frame.
 */
import { variable } from '../../src/broker/variable.ts'

/** `plain` bytes; a `text` or other bytes with a 2-byte length; `properties`, one item each. */
export type Field =
  | { readonly kind: 'plain' | 'text'; readonly bytes: Buffer }
  | { readonly kind: 'properties'; readonly items: readonly Buffer[] }

export type Packet = {
  /** Type and flags. */
  readonly first: number
  readonly fields: readonly Field[]
}

const TEXT_BYTES_MAX = 0xffff

export const plain = (...bytes: readonly number[]): Field => ({
  kind: 'plain',
  bytes: Buffer.from(bytes),
})

export const uint16 = (value: number): Field => plain(value >> 8, value & 0xff)

export const payload = (bytes: Buffer): Field => ({ kind: 'plain', bytes })

/** Cut to what a length of 2 bytes can say. */
export const text = (value: string | Buffer): Field => ({
  kind: 'text',
  bytes: Buffer.from(value).subarray(0, TEXT_BYTES_MAX),
})

/** The bytes of one field, its length included. */
export function encodeField(field: Field): Buffer {
  switch (field.kind) {
    case 'plain':
      return field.bytes
    case 'text':
      return prefixed(field.bytes)
    case 'properties': {
      const items = Buffer.concat(field.items)
      return Buffer.concat([variable(items.length), items])
    }
  }
}

export function bodyOf({ fields }: Packet): Buffer {
  return Buffer.concat(fields.map(encodeField))
}

export function encode(packet: Packet): Buffer {
  return framed(packet.first, bodyOf(packet))
}

export function framed(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first]), variable(body.length), body])
}

export function prefixed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
