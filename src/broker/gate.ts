/**
 * Who comes in, and what they may: sign-in at CONNECT, filters at SUBSCRIBE, each delivery of an
 * ordinary topic, and whose will it is when a client is gone. Publishes are decided in inbound.ts.
 */
import { boxesReached } from '../delivery/session.ts'
import { RelayError } from '../errors.ts'
import { type DeviceId, deviceId } from '../message/names.ts'
import { accountName, accountNamed, type Identity } from '../roster/identity.ts'
import type { Roster } from '../roster/roster.ts'
import type { SignIn } from '../roster/sign-in.ts'
import { mayRead, maySubscribe, type Rules, type Subscription } from './access.ts'
import type { Connection } from './connection.ts'

export class Gate {
  readonly #roster: Roster
  readonly #signIn: SignIn
  readonly #rules: Rules

  constructor(parts: { roster: Roster; signIn: SignIn }, options: { rules: Rules }) {
    this.#roster = parts.roster
    this.#signIn = parts.signIn
    this.#rules = options.rules
  }

  /**
   * Signs a client in and registers its device.
   * @param clientId the client's own id, or the one that was chosen for it
   * @returns the id under which its session is kept: equal client ids of two users never meet.
   *   `undefined` when the client has gone meanwhile
   * @throws WRONG_CREDENTIALS, TOO_MANY_ATTEMPTS, BAD_NAME, DEVICE_REVOKED, DEVICES_FULL
   */
  async enter(
    connection: Connection,
    clientId: string,
    credentials: { userName: string | undefined; password: Buffer | undefined },
  ): Promise<string | undefined> {
    const { userName, password } = credentials
    const identity = await this.#signIn.authenticate(userName, password, connection.address)
    // The client may have given up while the password was checked.
    if (connection.isClosed) return undefined
    connection.identity = identity
    connection.assignedId = clientId
    if (identity.kind === 'user') {
      this.#roster.connected(identity.user, deviceId(clientId))
      connection.isRegistered = true
    }
    // No user name has a `/`.
    return `${nameOf(identity)}/${clientId}`
  }

  /**
   * What a client is granted for a filter. One that reaches a box of its user makes the device
   * hold it.
   * @throws BAD_TOPIC, NOT_AUTHORIZED
   */
  grant(connection: Connection, text: string, qos: 0 | 1 | 2): Subscription {
    const { identity } = connection
    if (identity === undefined) throw new RelayError('NOT_AUTHORIZED', 'nobody is signed in')
    const subscription = maySubscribe(identity, text, this.#rules)
    if (identity.kind === 'user' && qos > 0) {
      const { filter } = subscription
      for (const box of boxesReached(identity.user, [{ filter, qos }])) {
        this.#roster.hold(identity.user, deviceOf(connection), box)
      }
    }
    return subscription
  }

  /** Whether a message on an ordinary topic may go to this client. */
  mayRead(connection: Connection, topic: string): boolean {
    const { identity } = connection
    if (identity === undefined) return false
    return mayRead(identity, topic, this.#rules, (owner, viewer) =>
      this.#roster.maySeePresence(owner, viewer),
    )
  }

  /**
   * Whose will it is: of a client that has just left, or of one that an earlier run has lost.
   * @param sessionId the user name, `/`, the client id
   * @throws NOT_AUTHORIZED where nobody here is its author, or the device has been revoked
   */
  authorOf(connection: Connection | undefined, sessionId: string): Identity {
    if (connection?.identity?.kind === 'anonymous') return connection.identity
    const slash = sessionId.indexOf('/')
    const account = accountNamed(sessionId.slice(0, slash))
    if (account?.kind === 'thing' && this.#roster.thing(account.thing) !== undefined) return account
    const user = account?.kind === 'user' ? this.#roster.user(account.user) : undefined
    if (user === undefined) throw new RelayError('NOT_AUTHORIZED', 'its author is not known here')
    if (user.devices.get(deviceId(sessionId.slice(slash + 1)))?.isRevoked === true) {
      throw new RelayError('DEVICE_REVOKED', 'the device that left it has been revoked')
    }
    return { kind: 'user', user: user.id, isAdmin: user.isAdmin }
  }
}

/** The device of a user's connection: the client's own id, not the one of its session. */
export function deviceOf(connection: Connection): DeviceId {
  return deviceId(connection.assignedId)
}

/** What aedes tells the client of a refused CONNECT: return codes of 3.1.1 (3.2.2.3). */
export function returnCodeOf(error: unknown): number {
  switch (error instanceof RelayError ? error.code : undefined) {
    case undefined:
      return RETURN_CODE.unavailable
    case 'WRONG_CREDENTIALS':
      return RETURN_CODE.badCredentials
    case 'BAD_NAME':
      return RETURN_CODE.idRejected
    default:
      return RETURN_CODE.notAuthorized
  }
}

const RETURN_CODE = { idRejected: 2, unavailable: 3, badCredentials: 4, notAuthorized: 5 } as const

function nameOf(identity: Identity): string {
  return identity.kind === 'anonymous' ? '' : accountName(identity)
}
