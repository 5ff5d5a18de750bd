/**
 * Makes and checks password hashes: argon2id, off the event loop, a few at a time. It knows
 * nothing of users; who may try how often is decided in attempts.ts.
 */
import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { RelayError } from '../errors.ts'
import { type RandomBytes, randomToken } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { type Cost, encodePhc, parsePhc } from './phc.ts'

const derive = promisify(argon2)

/** For passwords that a person chose: what OWASP asks of argon2id, some 70 ms of one PC core. */
export const CHOSEN_COST: Cost = { memoryKib: 19_456, passes: 2, lanes: 1 }

/**
 * For passwords that the relay generated. They are 128 random bits, which nobody guesses at any
 * speed, so stretching them buys nothing; cheap ones let a whole fleet sign in at once after a
 * restart, where 200 stretched ones would take minutes on a small board.
 */
export const GENERATED_COST: Cost = { memoryKib: 8, passes: 1, lanes: 1 }

/** A password and the PHC string to store for it. */
export type Credential = { readonly password: string; readonly credential: string }

/** As text, a generated password has 22 characters. */
const GENERATED_BYTES = 16
const SALT_BYTES = 16
const HASH_BYTES = 32

export class Passwords {
  readonly #random: RandomBytes
  readonly #cost: Cost
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** @param options.cost for chosen passwords; `CHOSEN_COST`, except where time does not matter */
  constructor(parts: { random: RandomBytes }, options: { cost: Cost }) {
    this.#random = parts.random
    this.#cost = options.cost
  }

  /**
   * What a new account gets: the chosen password, or a generated one where there is none.
   * @throws BAD_REQUEST for a password that is empty or too long
   * @throws TOO_MANY_ATTEMPTS when too many hashes wait already
   */
  async make(chosen?: string): Promise<Credential> {
    const password = chosen ?? randomToken(GENERATED_BYTES, this.#random)
    const bytes = Buffer.from(password)
    if (!isPassword(bytes)) {
      throw new RelayError(
        'BAD_REQUEST',
        `a password of ${bytes.length} bytes: 1 to ${LIMITS.passwordBytesMax} bytes are allowed`,
      )
    }
    const origin = chosen === undefined ? 'generated' : 'chosen'
    return { password, credential: await this.hash(bytes, origin) }
  }

  /**
   * The PHC string to store for a password.
   * @throws TOO_MANY_ATTEMPTS when too many hashes wait already
   */
  async hash(password: Uint8Array, origin: 'chosen' | 'generated'): Promise<string> {
    const cost = origin === 'chosen' ? this.#cost : GENERATED_COST
    const salt = this.#random(SALT_BYTES)
    const hash = await this.#inTurn(() => compute(password, salt, HASH_BYTES, cost))
    return encodePhc({ cost, salt, hash })
  }

  /**
   * Whether a password is the one of a stored PHC string. A wrong one takes as long whether
   * there is a string or not (`undefined`), and whatever cost it was made at, so that time tells
   * nobody which names exist.
   * @param mayStart called when this check's turn has come, before anything is computed; what it
   *   throws ends the check
   * @throws TOO_MANY_ATTEMPTS when too many hashes wait already
   */
  async verify(
    stored: string | undefined,
    password: Uint8Array,
    mayStart: () => void,
  ): Promise<boolean> {
    return await this.#inTurn(async () => {
      mayStart()
      const phc = stored === undefined ? undefined : parsePhc(stored)
      if (phc !== undefined) {
        const hash = await compute(password, phc.salt, phc.hash.length, phc.cost)
        if (timingSafeEqual(hash, phc.hash)) return true
        if (work(phc.cost) >= work(this.#cost)) return false
      }
      await compute(password, this.#random(SALT_BYTES), HASH_BYTES, this.#cost)
      return false
    })
  }

  /** Whether a stored PHC string was made at a cost that is still in use. */
  isCurrent(stored: string): boolean {
    const cost = parsePhc(stored)?.cost
    return cost !== undefined && (isSame(cost, this.#cost) || isSame(cost, GENERATED_COST))
  }

  /** Runs `work` when fewer than the allowed number run; first come, first served. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < LIMITS.passwordHashesMax) this.#running += 1
    else await this.#wait()
    try {
      return await work()
    } finally {
      // The place goes to the next in line; nobody can slip in between.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #wait(): Promise<void> {
    const max = LIMITS.passwordHashesWaitingMax
    if (this.#waiting.length >= max) {
      throw new RelayError(
        'TOO_MANY_ATTEMPTS',
        `${max} sign-ins wait for their password to be checked: try again in a minute`,
      )
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** Whether anybody can have this password. */
export function isPassword(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length <= LIMITS.passwordBytesMax
}

function compute(
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  cost: Cost,
): Promise<Uint8Array> {
  return derive('argon2id', {
    message: password,
    nonce: salt,
    tagLength: bytes,
    memory: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.lanes,
  })
}

function work(cost: Cost): number {
  return cost.memoryKib * cost.passes
}

function isSame(one: Cost, other: Cost): boolean {
  return (
    one.memoryKib === other.memoryKib && one.passes === other.passes && one.lanes === other.lanes
  )
}
