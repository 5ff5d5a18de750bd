/**
 * The names of users, devices, things and messages, as branded strings. This is the only
 * place that makes them, so a value of one of these types has been checked.
 */
import { RelayError } from '../errors.ts'
import { printable } from '../printable.ts'

declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

/** A person: `[a-z0-9][a-z0-9._-]{0,63}`. */
export type UserId = Brand<'user'>
/** An IoT client that publishes status; same letters as a user's, separate name space. */
export type ThingId = Brand<'thing'>
/** One MQTT client of a user, by its client id; any text of 1 to 128 UTF-8 bytes. */
export type DeviceId = Brand<'device'>
/** The sender's name for a message: `[A-Za-z0-9_-]{1,64}`. */
export type MessageId = Brand<'message'>
/** One running relay. */
export type RelayId = Brand<'relay'>

const USER = /^[a-z0-9][a-z0-9._-]{0,63}$/
const MESSAGE = /^[A-Za-z0-9_-]{1,64}$/
const RELAY = /^[a-z0-9]{8,64}$/
const DEVICE_BYTES_MAX = 128

/** @throws BAD_NAME */
export function userId(text: string): UserId {
  return checked(text, USER, 'user', '1 to 64 of a-z 0-9 . _ -, starting with a letter or digit')
}

/** @throws BAD_NAME */
export function thingId(text: string): ThingId {
  return checked(text, USER, 'thing', '1 to 64 of a-z 0-9 . _ -, starting with a letter or digit')
}

/** @throws BAD_NAME */
export function messageId(text: string): MessageId {
  return checked(text, MESSAGE, 'message', '1 to 64 of A-Z a-z 0-9 _ -')
}

/** @throws BAD_NAME */
export function relayId(text: string): RelayId {
  return checked(text, RELAY, 'relay', '8 to 64 of a-z 0-9')
}

/** @throws BAD_NAME */
export function deviceId(text: string): DeviceId {
  const bytes = Buffer.byteLength(text)
  // A control character in a name would let a client write lines into logs and screens.
  // Half a surrogate pair has no UTF-8, so two such names would be stored as one.
  const isClean = text.isWellFormed() && !/\p{Cc}/u.test(text)
  if (bytes === 0 || bytes > DEVICE_BYTES_MAX || !isClean) {
    throw new RelayError(
      'BAD_NAME',
      `device ${shown(text)}: a client id of 1 to ${DEVICE_BYTES_MAX} bytes without control characters is allowed`,
    )
  }
  return text as DeviceId
}

function checked<Name extends string>(
  text: string,
  allowed: RegExp,
  kind: Name,
  says: string,
): Brand<Name> {
  if (!allowed.test(text)) {
    throw new RelayError('BAD_NAME', `${kind} ${shown(text)}: ${says} is allowed`)
  }
  return text as Brand<Name>
}

const SHOWN_CHARS_MAX = 80

/** A name from outside, cut and escaped so that it can be printed. */
export function shown(text: string): string {
  const cut = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
  return printable(JSON.stringify(cut))
}
