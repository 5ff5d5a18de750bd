/** The connections of all clients, and those of one of them. */
import type { UserId } from '../message/names.ts'
import type { Identity } from '../roster/identity.ts'
import type { Connection } from './connection.ts'
import { deviceOf } from './gate.ts'
import { REASON } from './wire.ts'

export class Connections {
  readonly #all = new Set<Connection>()
  readonly #signedIn = new Set<Connection>()

  get size(): number {
    return this.#all.size
  }

  /** Clients that are signed in. */
  get clients(): number {
    return this.#signedIn.size
  }

  /** Those of them whose session stays when they leave. */
  get kept(): number {
    let kept = 0
    for (const { client } of this.#signedIn) if (!client.clean) kept += 1
    return kept
  }

  add(connection: Connection): void {
    this.#all.add(connection)
  }

  signedIn(connection: Connection): void {
    this.#signedIn.add(connection)
  }

  delete(connection: Connection): void {
    this.#all.delete(connection)
    this.#signedIn.delete(connection)
  }

  /** Ends all. `reason` is an MQTT 5 reason code, as below. */
  disconnectAll(reason: number): void {
    for (const connection of this.#all) connection.disconnect(reason)
  }

  /** Ends those of a user, or of one device of it. */
  disconnectUser(user: UserId, device?: string): void {
    this.#disconnect(
      (identity, connection) =>
        identity.kind === 'user' &&
        identity.user === user &&
        (device === undefined || deviceOf(connection) === device),
    )
  }

  disconnectThing(thing: string): void {
    this.#disconnect((identity) => identity.kind === 'thing' && identity.thing === thing)
  }

  #disconnect(isMeant: (identity: Identity, connection: Connection) => boolean): void {
    for (const connection of this.#all) {
      const { identity } = connection
      if (identity !== undefined && isMeant(identity, connection)) {
        connection.disconnect(REASON.administrativeAction)
      }
    }
  }
}
