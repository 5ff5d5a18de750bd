/**
 * What a post office should hold, as plainly as it can be said. It is told only what senders and
 * devices do and see; a clone of it is what a crash goes back to.
 */

export type MailState = 'waiting' | 'delivered' | 'expired' | 'refused'

export type Mail = {
  readonly id: string
  readonly from: string
  /** Place in the order accepted. */
  readonly place: number
  readonly deadlineMs: number
  state: MailState
  /** Devices that have acknowledged. */
  readonly acks: Set<string>
  /** Devices that have taken over a QoS 2 delivery (PUBREC). */
  readonly taken: Set<string>
}

export class Model {
  mails = new Map<string, Mail>()
  /** Devices of the recipient for which mail is kept. */
  holders = new Set<string>()
  revoked = new Set<string>()
  /** What the sender has to be told, in that order. */
  facts: string[] = []
  /** What the sender's device has acknowledged. */
  told = new Set<string>()
  refused = 0

  clone(): Model {
    const copy = new Model()
    for (const [key, mail] of this.mails) {
      copy.mails.set(key, { ...mail, acks: new Set(mail.acks), taken: new Set(mail.taken) })
    }
    copy.holders = new Set(this.holders)
    copy.revoked = new Set(this.revoked)
    copy.facts = [...this.facts]
    copy.told = new Set(this.told)
    copy.refused = this.refused
    return copy
  }

  accept(mail: Pick<Mail, 'id' | 'from' | 'place' | 'deadlineMs'>): Mail {
    const taken: Mail = { ...mail, state: 'waiting', acks: new Set(), taken: new Set() }
    this.mails.set(mail.id, taken)
    this.#tell(taken, 'stored')
    return taken
  }

  /** @param isKept whether the receipt could be kept */
  refuse(mail: Mail, isKept: boolean): void {
    if (mail.state !== 'waiting') throw new Error(`${mail.id} is ${mail.state}, but was refused`)
    mail.state = 'refused'
    this.refused += 1
    this.facts = this.facts.filter((fact) => fact !== `${mail.id} stored`)
    if (isKept) this.#tell(mail, 'refused')
  }

  acknowledge(mail: Mail | undefined, device: string): void {
    if (mail?.state !== 'waiting' || mail.acks.has(device)) return
    mail.acks.add(device)
    this.#tell(mail, `delivered ${device}`)
    this.#settle(mail)
  }

  revoke(device: string): void {
    this.revoked.add(device)
    this.holders.delete(device)
    for (const mail of this.waiting) if (mail.acks.size > 0) this.#settle(mail)
  }

  expire(ageMs: number): void {
    for (const mail of this.waiting) {
      if (mail.deadlineMs > ageMs) continue
      mail.state = 'expired'
      this.#tell(mail, 'expired')
    }
  }

  #settle(mail: Mail): void {
    for (const holder of this.holders) if (!mail.acks.has(holder)) return
    mail.state = 'delivered'
    this.#tell(mail, 'delivered')
  }

  #tell(mail: Mail, what: string): void {
    if (mail.from === 'alice') this.facts.push(`${mail.id} ${what}`)
  }

  /** In the order accepted. */
  get waiting(): Mail[] {
    return [...this.mails.values()]
      .filter(({ state }) => state === 'waiting')
      .sort((one, other) => one.place - other.place)
  }

  count(state: MailState): number {
    return [...this.mails.values()].filter((mail) => mail.state === state).length
  }
}
