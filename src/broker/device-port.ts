/** A connection as delivery sees it: a device of a user. */
import type { DevicePort, Outgoing } from '../delivery/port.ts'
import type { DeviceId, UserId } from '../message/names.ts'
import type { Connection } from './connection.ts'
import { encodePublish } from './publish.ts'
import { encodeAck } from './wire.ts'

export class ConnectedDevice implements DevicePort {
  readonly user: UserId
  readonly device: DeviceId
  readonly #connection: Connection

  constructor(connection: Connection, options: { user: UserId; device: DeviceId }) {
    this.#connection = connection
    this.user = options.user
    this.device = options.device
  }

  get receiveMaximum(): number {
    return this.#connection.connect?.receiveMaximum ?? 1
  }

  get isResumed(): boolean {
    return this.#connection.isResumed
  }

  get isWindowFull(): boolean {
    return this.#connection.isWindowFull
  }

  get isCongested(): boolean {
    return this.#connection.isCongested
  }

  publish(outgoing: Outgoing): boolean {
    const packet = encodePublish(outgoing, this.#connection.version)
    if (!this.#connection.takes(packet)) return false
    this.#connection.outbox.push(packet)
    return true
  }

  release(packetId: number): void {
    this.#connection.outbox.push(encodeAck('pubrel', packetId, this.#connection.version))
  }

  disconnect(reason: number): void {
    this.#connection.disconnect(reason)
  }
}
