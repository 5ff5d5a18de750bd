/** What the command line needs of the relay itself, which is loaded only when it is used. */
import type { Config } from '../config/config.ts'
import type { OperationParts } from '../control/parts.ts'
import type { Log } from '../log.ts'

export type Endpoint = { readonly host: string; readonly port: number }

/** Where a relay listens; MQTT over WebSocket is at `/mqtt` of `http`, which takes TLS as well. */
export type Addresses = {
  readonly mqtt: Endpoint
  /** Absent where another program has the port. */
  readonly mqtts?: Endpoint
  readonly http: Endpoint
}

export type RunningRelay = {
  /** Returns once it listens. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Valid once started. */
  readonly addresses: Addresses
  /** The certificate that clients over TLS have to trust; none where one was given. */
  readonly authorityPath?: string | undefined
  /** Only at the very first start of a store; the password is not kept anywhere. */
  readonly firstAdmin?: { readonly id: string; readonly password: string } | undefined
}

export type RelayModule = {
  readonly Relay: new (config: Config, parts: { log: Log }) => RunningRelay
  /**
   * Opens the store without a relay on it.
   * @throws STORE_LOCKED while a relay runs
   */
  openOffline(
    config: Config,
    parts: { log: Log },
  ): Promise<{ parts: OperationParts; close(): Promise<void> }>
}
