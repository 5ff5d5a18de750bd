/** Who takes part when the recipient is away: one sender, and one recipient with two devices. */
import { deviceKey } from './cast.ts'
import type { DevicesOf } from './checks.ts'

export const SENDER = 'alice'
export const RECIPIENT = 'bob'

/** Client ids of the recipient's devices. */
export const DEVICE_IDS: readonly string[] = ['phone', 'laptop']

/** The name of a recipient's device in the ledger. */
export function keyOf(clientId: string): string {
  return deviceKey({ user: RECIPIENT, clientId })
}

export const AWAY_DEVICES: DevicesOf = new Map([[RECIPIENT, DEVICE_IDS.map(keyOf)]])
