/**
 * The keys of this folder's tables. Client ids, topics and filters are percent-encoded whole, so
 * a topic is one part however many levels it has, and `bob` is no prefix of `bobby`. A client id is
 * that of a session: the account, `/`, the client's own id.
 *
 *     incoming/{client}/{packet id}  nothing more: a QoS 2 publish that the client has to release
 *     lifetime/{client}              how long a session outlives its connection (lifetimes.ts)
 *     outgoing/{client}/{number}     a delivery (message.ts); numbers rise over all sessions
 *     retained/{topic}               a message (message.ts)
 *     session/{client}/{filter}      a subscription (subscription.ts)
 *     will/{client}                  a will (wills.ts)
 */
import { part, sortable, unpart } from '../../store/keys.ts'

export function retainedKey(topic: string): string {
  return `retained/${part(topic)}`
}

export function sessionKey(clientId: string, filter: string): string {
  return `session/${part(clientId)}/${part(filter)}`
}

export function lifetimeKey(clientId: string): string {
  return `lifetime/${part(clientId)}`
}

export function outgoingKey(clientId: string, number: number): string {
  return `outgoing/${part(clientId)}/${sortable(number)}`
}

export function incomingKey(clientId: string, packetId: number): string {
  return `incoming/${part(clientId)}/${sortable(packetId)}`
}

export function willKey(clientId: string): string {
  return `will/${part(clientId)}`
}

/** The topic of a key of `retained`, the client id of a key of the other tables. */
export function ownerOf(key: string): string {
  return unpart(key.split('/')[1] ?? '')
}

/** The filter of a key of `session`. */
export function filterOf(key: string): string {
  return unpart(key.split('/')[2] ?? '')
}
