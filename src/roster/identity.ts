/** Who a connection speaks for once it is signed in, and how that is written in names and rules. */
import { RelayError } from '../errors.ts'
import { type ThingId, thingId, type UserId, userId } from '../message/names.ts'

export type Identity =
  | { readonly kind: 'user'; readonly user: UserId; readonly isAdmin: boolean }
  | { readonly kind: 'thing'; readonly thing: ThingId }
  | { readonly kind: 'anonymous' }

/** What a user name names: a user by its id, a thing as `thing:ID`. */
export type Account =
  | { readonly kind: 'user'; readonly user: UserId }
  | { readonly kind: 'thing'; readonly thing: ThingId }

const THING = 'thing:'

/** The name that `access.rules` have for a client without user name; no user can have it. */
export const ANONYMOUS = 'anonymous'

/** Reads a user name; `undefined` for one that nobody can have. */
export function accountNamed(userName: string): Account | undefined {
  try {
    if (!userName.startsWith(THING)) return { kind: 'user', user: userId(userName) }
    return { kind: 'thing', thing: thingId(userName.slice(THING.length)) }
  } catch (error) {
    if (error instanceof RelayError) return undefined
    throw error
  }
}

/** The user name of an account: `alice`, `thing:lamp`. */
export function accountName(account: Account): string {
  return account.kind === 'user' ? account.user : `${THING}${account.thing}`
}
