/** What has gone through all connections since the start, in numbers that only grow. */
import { PACKET, packetType } from './wire.ts'

/** One direction: as seen from the relay. */
export class Flow {
  bytes = 0
  packets = 0
  publishes = 0
  publishBytes = 0

  /** Counts one packet; its bytes are counted apart, since they come in other pieces. */
  packet(bytes: Buffer): void {
    this.packets += 1
    if (packetType(bytes) !== PACKET.publish) return
    this.publishes += 1
    this.publishBytes += bytes.length
  }
}

export class Traffic {
  readonly received = new Flow()
  readonly sent = new Flow()
  /** Connections that were taken, whatever became of them. */
  sockets = 0
  /** Clients that have signed in. */
  connects = 0
  /** The most clients that were signed in at once. */
  clientsMax = 0

  /** A client has signed in; `clients` are here now. */
  connected(clients: number): void {
    this.connects += 1
    this.clientsMax = Math.max(this.clientsMax, clients)
  }
}
