/**
 * The acknowledgement of one PUBLISH that we decide ourselves. It keeps its place in the order of
 * publishes until it is given. 3.1.1 has no way to refuse but to close, after which clients send
 * the same again for ever; so there a refusal is an acknowledgement, too.
 */
import type { AcceptWaiter } from '../delivery/acceptance.ts'
import type { RelayError } from '../errors.ts'
import type { Slot } from './acknowledgements.ts'
import type { Connection } from './connection.ts'
import { encodeAck, REASON } from './wire.ts'

type Asker = Pick<Connection, 'version' | 'acknowledgements' | 'unreleased' | 'explain'>

/** Where nobody waits for an answer. */
export const NOBODY: AcceptWaiter = { accepted: () => undefined, refused: () => undefined }

export function answerTo(
  asker: Asker,
  { qos, packetId }: { readonly qos: 0 | 1 | 2; readonly packetId: number },
): AcceptWaiter {
  if (qos === 0) return NOBODY
  if (qos === 2) asker.unreleased.add(packetId)
  return new Answer(asker, qos, asker.acknowledgements.expect(packetId))
}

class Answer implements AcceptWaiter {
  readonly #asker: Asker
  readonly #qos: 1 | 2
  readonly #slot: Slot

  constructor(asker: Asker, qos: 1 | 2, slot: Slot) {
    this.#asker = asker
    this.#qos = qos
    this.#slot = slot
  }

  accepted(): void {
    this.#give(REASON.success)
  }

  /** MQTT 5 tells apart only whether there was no room (0x97) or no right (0x87). */
  refused({ facts, message }: RelayError): void {
    const isRoom = facts.mqtt === REASON.quotaExceeded
    this.#give(isRoom ? REASON.quotaExceeded : REASON.notAuthorized, message)
  }

  #give(reason: number, why?: string): void {
    const { version, acknowledgements, unreleased } = this.#asker
    const { packetId } = this.#slot
    // With a failure MQTT 5 ends the exchange at PUBREC (4.3.3); 3.1.1 goes on to PUBREL.
    if (this.#qos === 2 && version === 5 && reason !== REASON.success) unreleased.delete(packetId)
    const type = this.#qos === 1 ? 'puback' : 'pubrec'
    const ack = encodeAck(type, packetId, version, reason)
    acknowledgements.decide(this.#slot, why === undefined ? ack : this.#asker.explain(ack, why))
  }
}
