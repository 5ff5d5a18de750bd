/**
 * Every key of the store and what it holds. Keys are text; a `/` ends each part and no part
 * contains one, so `box/inbox/bob/` never reaches into `box/inbox/bobby/`. Numbers are base 36,
 * padded, so that they sort. Device ids and filters are percent-encoded.
 *
 *     entry/{origin}/{seq}               a journal entry                      journal/
 *     state/{kind}/{key}                 the seq of the newest state entry    journal/
 *     box/{inbox|receipts}/{user}/{seq}  who has an entry, who still waits    mailbox/
 *     record/{from}/{to}/{id}            what became of a message             mailbox/
 *     cursor/{box}/{user}/{device}       the last seq before the first undelivered one
 *     retained/{topic}                   a retained message                   broker/ordinary/
 *     session/{client}/{filter}          a subscription of a session
 *     lifetime/{client}                  how long a session outlives its connection
 *     outgoing/{client}/{seq}            an ordinary message on its way to a session
 *     incoming/{client}/{packet id}      an unfinished QoS 2 receipt from a client
 *     will/{client}                      a will
 *     meta/{name}                        the relay's id, counters, times; the store's own are
 *                                        `tally` (how many keys there should be) and `format`
 */

/** A half-open range of keys. */
export type KeyRange = { readonly gte: string; readonly lt: string }

/** The first part of a key: the table that it belongs to. */
export function tableOf(key: string): string {
  return key.slice(0, key.indexOf('/'))
}

/** All keys that begin with `prefix`, which ends in `/`. */
export function under(prefix: string): KeyRange {
  // '0' is the character after '/'.
  return { gte: prefix, lt: `${prefix.slice(0, -1)}0` }
}

const NUMBER_DIGITS = 11

/** A safe integer as 11 base-36 digits that sort as the number does. */
export function sortable(value: number): string {
  return value.toString(36).padStart(NUMBER_DIGITS, '0')
}

/** The number that ends a key. */
export function lastNumber(key: string): number {
  return Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 36)
}

/** Any text as a part of a key: no `/`, and nothing that a key could be confused by. */
export function part(text: string): string {
  return encodeURIComponent(text)
}

/** The text that `part` encoded. */
export function unpart(encoded: string): string {
  return decodeURIComponent(encoded)
}
