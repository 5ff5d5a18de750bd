/** What a connection needs of the broker. */
import type { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { AedesPort } from './aedes-port.ts'
import type { Connection } from './connection.ts'
import type { Flusher } from './outbox.ts'
import type { Publish } from './publish.ts'
import type { Subscribe, Unsubscribe } from './subscribe.ts'
import type { Traffic } from './traffic.ts'

/** Where a connection takes what it does not decide by itself. */
export interface ConnectionOwner {
  /** Gives the stream to aedes. */
  attach(port: AedesPort, connection: Connection): Client
  /** A PUBLISH from a client that is signed in. */
  publish(connection: Connection, publish: Publish): void
  /** Resolves when the client has its answer on the way. */
  subscribe(connection: Connection, asked: Subscribe): Promise<void>
  unsubscribe(connection: Connection, asked: Unsubscribe): Promise<void>
  /** The client has released a QoS 2 publish; `done` is called when that is on disk. */
  finished(connection: Connection, packetId: number, done: () => void): void
  /** Whether the client goes on with an earlier session. */
  hasSession(connection: Connection): boolean
  /** The client is signed in and knows it (CONNACK is on its way). */
  connected(connection: Connection): void
  closed(connection: Connection): void
}

/** What a connection is made of. */
export type ConnectionParts = {
  readonly owner: ConnectionOwner
  readonly socket: Duplex
  readonly flusher: Flusher
  readonly traffic: Traffic
  readonly clock: Clock
  readonly log: Log
}
