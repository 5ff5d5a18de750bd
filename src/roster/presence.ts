/** What others are told of whether a user is there, and which others. */
import type { Stamp } from '../message/message.ts'
import type { UserId } from '../message/names.ts'

export const PRIVACIES = ['everyone', 'contacts', 'nobody'] as const

/** Whom a user lets see its presence. */
export type Privacy = (typeof PRIVACIES)[number]

/** The JSON of `users/{id}/presence`. While online, `lastSeen` is when a device came. */
export function presencePayload(isOnline: boolean, lastSeen: Stamp | undefined): string {
  return JSON.stringify({
    status: isOnline ? 'online' : 'offline',
    lastSeen: lastSeen === undefined ? null : new Date(lastSeen.atMs).toISOString(),
    clock: lastSeen?.clock ?? 'none',
  })
}

/** Whether `viewer` may see the presence of `owner`; the owner and admins always may. */
export function maySeePresence(
  owner: { readonly id: UserId; readonly presence: Privacy },
  viewer: { readonly user: UserId; readonly isAdmin: boolean },
  contacts: ReadonlySet<UserId>,
): boolean {
  if (viewer.isAdmin || viewer.user === owner.id) return true
  switch (owner.presence) {
    case 'everyone':
      return true
    case 'contacts':
      return contacts.has(viewer.user)
    case 'nobody':
      return false
  }
}
