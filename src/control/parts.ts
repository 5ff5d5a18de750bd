/** What operations work on: the roster, the post office, and what the relay knows of itself. */
import type { Ledger } from '../delivery/counts.ts'
import type { MessageFilter, MessageRow, Trace } from '../delivery/inquiry.ts'
import type { DeviceId, MessageId, ThingId, UserId } from '../message/names.ts'
import type { Roster } from '../roster/roster.ts'

/** Something that an operator should know of, and what to do about it. */
export type Problem = { readonly what: string; readonly mend: string }

/** A session with another relay. */
export type LinkRow = { readonly relay: string; readonly isUp: boolean }

/** How a relay is, apart from its ledger. */
export type Condition = {
  /** Its name. */
  readonly relay: string
  readonly version: string
  readonly uptimeMs: number
  readonly clients: number
  readonly disk: { readonly usedBytes: number; readonly maxBytes: number }
  readonly links: readonly LinkRow[]
  readonly problems: readonly Problem[]
}

export type RosterPart = Pick<
  Roster,
  | 'addUser'
  | 'removeUser'
  | 'setPassword'
  | 'users'
  | 'user'
  | 'addThing'
  | 'removeThing'
  | 'things'
  | 'revoke'
  | 'allow'
>

export type PostPart = {
  /** Messages that match, the newest first. */
  list(filter: MessageFilter): Promise<readonly MessageRow[]>
  /** The stories of all messages with this id. */
  trace(id: MessageId): Promise<readonly Trace[]>
  counts(): Ledger
  /** Ends the user's connections. */
  disconnectUser(user: UserId): void
  /** Ends the connections and sessions of a thing that is removed. */
  thingRemoved(thing: ThingId): Promise<void>
  /** Ends what waits for a user who is removed, and the user's sessions. */
  userRemoved(user: UserId): Promise<void>
  /** Ends the device's connections and session, and settles what only waited for it. */
  deviceRevoked(user: UserId, device: DeviceId): Promise<void>
}

export type OperationParts = {
  readonly roster: RosterPart
  readonly post: PostPart
  condition(): Promise<Condition>
  /** Returns once everything that was written so far is on disk. */
  durable(): Promise<void>
}
