/** Who takes part in a drill: people chosen so that each way to receive mail is there once. */
import type { MqttVersion } from '../load/packets.ts'
import type { DevicesOf } from './checks.ts'

export type SenderRole = {
  readonly name: string
  readonly version: MqttVersion
  readonly clean: boolean
  readonly qos: 1 | 2
  readonly window: number
}

export type DeviceRole = {
  readonly user: string
  readonly clientId: string
  readonly version: MqttVersion
  readonly clean: boolean
  readonly qos: 1 | 2
  /** Whether it has connected before the first message. */
  readonly isKnown: boolean
  /** How likely it is online in a round. */
  readonly presence: number
}

export const SENDERS: readonly SenderRole[] = [
  { name: 'ada', version: 5, clean: true, qos: 1, window: 32 },
  { name: 'ben', version: 4, clean: true, qos: 1, window: 16 },
  { name: 'cora', version: 5, clean: false, qos: 1, window: 1 },
  { name: 'dan', version: 4, clean: false, qos: 1, window: 8 },
  { name: 'emil', version: 5, clean: false, qos: 2, window: 8 },
]

/** Two devices of one user, one that is away all the time, one that comes and goes, a first one. */
export const DEVICES: readonly DeviceRole[] = [
  { user: 'eve', clientId: 'phone', version: 4, clean: false, qos: 1, isKnown: true, presence: 1 },
  {
    user: 'eve',
    clientId: 'laptop',
    version: 5,
    clean: true,
    qos: 1,
    isKnown: true,
    presence: 0.7,
  },
  { user: 'fay', clientId: 'phone', version: 5, clean: false, qos: 1, isKnown: true, presence: 0 },
  {
    user: 'gus',
    clientId: 'phone',
    version: 4,
    clean: false,
    qos: 2,
    isKnown: true,
    presence: 0.5,
  },
  {
    user: 'hal',
    clientId: 'tablet',
    version: 5,
    clean: false,
    qos: 1,
    isKnown: false,
    presence: 0,
  },
]

export const RECIPIENTS: readonly string[] = [...new Set(DEVICES.map((role) => role.user))]

/** Whether a sender sends at QoS 2. */
export function isExactlyOnce(sender: string): boolean {
  return SENDERS.some((role) => role.name === sender && role.qos === 2)
}

/** One name for a device among those of all users. */
export function deviceKey(role: Pick<DeviceRole, 'user' | 'clientId'>): string {
  return `${role.user}.${role.clientId}`
}

export function devicesOf(devices: readonly DeviceRole[]): DevicesOf {
  const byUser = new Map<string, string[]>()
  for (const role of devices) {
    byUser.set(role.user, [...(byUser.get(role.user) ?? []), deviceKey(role)])
  }
  return byUser
}
