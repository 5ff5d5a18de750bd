/**
 * Decides whom a connection speaks for. Whether a name is unknown or a password wrong, the
 * answer is the same and takes as long.
 */
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import type { RandomBytes } from '../ids.ts'
import { Attempts } from './attempts.ts'
import { type Account, accountName, accountNamed, type Identity } from './identity.ts'
import { isPassword, type Passwords } from './passwords.ts'
import type { Roster } from './roster.ts'
import { Verified } from './verified.ts'

export class SignIn {
  readonly #roster: Roster
  readonly #passwords: Passwords
  readonly #attempts: Attempts
  readonly #verified: Verified
  readonly #allowsAnonymous: boolean

  /** @param options.allowsAnonymous `access.anonymous` of the configuration */
  constructor(
    parts: { roster: Roster; passwords: Passwords; clock: Clock; random: RandomBytes },
    options: { allowsAnonymous: boolean },
  ) {
    this.#roster = parts.roster
    this.#passwords = parts.passwords
    this.#attempts = new Attempts(parts)
    this.#verified = new Verified(parts)
    this.#allowsAnonymous = options.allowsAnonymous
  }

  /**
   * @param userName a user id or `thing:ID`; absent or empty for a client without one
   * @param address where the client connects from, without the port
   * @throws WRONG_CREDENTIALS
   * @throws TOO_MANY_ATTEMPTS after too many failures, or when too many wait to be checked
   */
  async authenticate(
    userName: string | undefined,
    password: Uint8Array | undefined,
    address: string,
  ): Promise<Identity> {
    if (userName === undefined || userName === '') {
      if (this.#allowsAnonymous) return { kind: 'anonymous' }
      throw wrongCredentials()
    }
    const account = accountNamed(userName)
    // Names that nobody can have share one count, so that a key is always short.
    const name = account === undefined ? '' : accountName(account)
    this.#attempts.check(name, address)
    if (password === undefined || !isPassword(password)) throw wrongCredentials()
    const stored = account === undefined ? undefined : this.#roster.credential(account)
    const isRight = await this.#isRight(name, stored, password, address)
    if (!isRight) this.#attempts.failed(name, address)
    if (!isRight || account === undefined || stored === undefined) throw wrongCredentials()
    // Much can happen while a hash is computed: a password changed, an account removed.
    if (this.#roster.credential(account) !== stored) throw wrongCredentials()
    this.#attempts.succeeded(name, address)
    this.#verified.add(name, stored, password)
    await this.#renew(account, stored, password)
    return this.#identity(account)
  }

  async #isRight(
    name: string,
    stored: string | undefined,
    password: Uint8Array,
    address: string,
  ): Promise<boolean> {
    if (stored !== undefined && this.#verified.has(name, stored, password)) return true
    // Checked again in its turn: those that waited with it may have failed too often since.
    return await this.#passwords.verify(stored, password, () => this.#attempts.check(name, address))
  }

  /** Stores the hash of a right password anew where it was made at an outdated cost. */
  async #renew(account: Account, stored: string, password: Uint8Array): Promise<void> {
    if (this.#passwords.isCurrent(stored)) return
    try {
      const credential = await this.#passwords.hash(password, 'chosen')
      this.#roster.renewCredential(account, stored, credential)
    } catch (error) {
      // Too busy now; the next sign-in renews it.
      if (!(error instanceof RelayError)) throw error
    }
  }

  #identity(account: Account): Identity {
    if (account.kind === 'thing') return account
    const user = this.#roster.user(account.user)
    if (user === undefined) throw wrongCredentials()
    return { kind: 'user', user: user.id, isAdmin: user.isAdmin }
  }
}

function wrongCredentials(): RelayError {
  return new RelayError('WRONG_CREDENTIALS', 'the user name or the password is wrong')
}
