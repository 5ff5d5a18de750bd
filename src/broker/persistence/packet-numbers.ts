/**
 * The numbers under which aedes knows packets. It numbers a packet when it is published and drops,
 * without a word, a delivery to a client whose number is below the last one from the same
 * `brokerId`. A packet that has waited for a commit would be overtaken by later ones and dropped;
 * so packets are numbered again here, in the order in which they leave, under an id for each way:
 *
 *     queue   waits for a commit; its number is also its place in the queues, and outlives restarts
 *     direct  waits for nothing, but is handed back a moment later than it came
 */
import type { Packet } from './packet.ts'

/** The part of aedes that numbers packets. */
export type Broker = { readonly id: string; readonly counter: number }

/** The `brokerId` of packets that are numbered as the queues are. */
export const QUEUE = 'queue'
const DIRECT = 'direct'

export class PacketNumbers {
  #queue = 0
  #direct = 0

  /** A stored message has this number: the next ones are higher. */
  restore(number: number): void {
    this.#queue = Math.max(this.#queue, number)
  }

  /** Numbers a packet that waits for a commit; returns its place in the queues. */
  queue(packet: Packet, broker: Broker): number {
    this.#queue += 1
    renumber(packet, broker, QUEUE, this.#queue)
    return this.#queue
  }

  /** Numbers a packet that goes on at once. */
  direct(packet: Packet, broker: Broker): void {
    this.#direct += 1
    renumber(packet, broker, DIRECT, this.#direct)
  }
}

function renumber(packet: Packet, broker: Broker, id: string, number: number): void {
  const { brokerId, brokerCounter = 0 } = packet
  const isOurs = brokerId === broker.id && brokerCounter <= broker.counter
  // A packet that another broker has numbered keeps its name: somebody may ask for it by that.
  if (!isOurs && brokerId !== QUEUE && brokerId !== DIRECT) return
  packet.brokerId = id
  packet.brokerCounter = number
}
