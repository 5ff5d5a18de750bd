/** What a connection needs of the broker. */
import type { Client } from 'aedes'
import type { AedesPort } from './aedes-port.ts'
import type { Connection } from './connection.ts'
import type { Publish } from './publish.ts'

/** Where a connection takes what it does not decide by itself. */
export interface ConnectionOwner {
  /** Gives the stream to aedes. */
  attach(port: AedesPort, connection: Connection): Client
  /** A PUBLISH from a client that is signed in; true where aedes is to take it. */
  publish(connection: Connection, publish: Publish): boolean
  /** Whether the client goes on with publishes of an earlier connection. */
  hasUnfinished(connection: Connection): boolean
  /** The client is signed in and knows it (CONNACK is on its way). */
  connected(connection: Connection): void
  closed(connection: Connection): void
}
