/** One message on its way to its audience: what is the same for many is made once. */
import type { Outgoing } from '../../delivery/port.ts'
import type { Delivery, OrdinaryMessage } from './message.ts'
import { outgoingOf, type SessionOwner } from './session.ts'
import type { Grant } from './subscription.ts'

export class Round {
  readonly message: OrdinaryMessage
  /** Whether anything of it has to be on disk. */
  isQueued = false
  readonly #ageMs: number
  readonly #outgoings = new Map<boolean, Outgoing>()
  #number = 0

  constructor(message: OrdinaryMessage, ageMs: number) {
    this.message = message
    this.#ageMs = ageMs
  }

  /** Its place in the queues. */
  number(owner: SessionOwner): number {
    if (this.#number === 0) this.#number = owner.nextNumber()
    return this.#number
  }

  /** What comes next is a copy of its own. */
  renumber(): void {
    this.#number = 0
  }

  delivery(qos: 0 | 1 | 2, { isAsPublished, identifiers }: Grant): Delivery {
    const isRetained = this.message.isRetained && isAsPublished
    return { ...this.message, qos, isRetained, identifiers }
  }

  /** With QoS 0; the same object for all who get the same, so that it is encoded once. */
  outgoing(grant: Grant): Outgoing {
    const isRetained = this.message.isRetained && grant.isAsPublished
    const known = grant.identifiers.length === 0 ? this.#outgoings.get(isRetained) : undefined
    if (known !== undefined) return known
    const delivery = this.delivery(0, grant)
    const outgoing = { ...outgoingOf(delivery, this.#ageMs), packetId: 0, isDuplicate: false }
    if (grant.identifiers.length === 0) this.#outgoings.set(isRetained, outgoing)
    return outgoing
  }
}
