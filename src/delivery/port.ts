/** The face that a transport shows to delivery: one connected device. */
import type { Properties } from '../message/message.ts'
import type { DeviceId, UserId } from '../message/names.ts'

/** One PUBLISH to a device. */
export type Outgoing = {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  /** 0 with QoS 0. */
  readonly packetId: number
  /** Sent before, perhaps on another connection [MQTT-3.3.1-1]. */
  readonly isDuplicate: boolean
  readonly properties?: Properties
  /** Seconds left to live (MQTT 5 Message Expiry Interval). */
  readonly expiresInS?: number
  /** RETAIN; absent where it is 0. */
  readonly isRetained?: boolean
  /** Subscription Identifiers of the filters that match (MQTT 5). */
  readonly identifiers?: readonly number[]
  /** MQTT 5 user properties of the relay's own. */
  readonly marks?: readonly (readonly [string, string])[]
}

export interface DevicePort {
  readonly user: UserId
  readonly device: DeviceId
  /** QoS 1 and 2 publishes that the client takes unacknowledged (MQTT 5 Receive Maximum). */
  readonly receiveMaximum: number
  /** Whether the client goes on with an MQTT session that the relay knows. */
  readonly isResumed: boolean
  /** Whether the client has as many unacknowledged as it takes, those of other lanes included. */
  readonly isWindowFull: boolean
  /** Whether bytes wait for the socket beyond the mark; `DeviceSession.resume` is called when not. */
  readonly isCongested: boolean
  /** False where the client takes no packet of that length (MQTT 5 Maximum Packet Size). */
  publish(outgoing: Outgoing): boolean
  /** PUBREL: the device may forget a QoS 2 packet identifier. */
  release(packetId: number): void
  /** Ends the connection. `reason` is an MQTT 5 DISCONNECT reason code. */
  disconnect(reason: number): void
}

/** A topic filter of a device, and what was granted. */
export type Filter = {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  /** Subscription Identifier (MQTT 5). */
  readonly identifier?: number | undefined
}
