/** A device in the simulation: it outlives connections and crashes of the relay. */
import type { Outgoing } from '../../src/delivery/port.ts'
import { deviceId, type UserId } from '../../src/message/names.ts'
import { idOf, TestDevice } from '../delivery/device.ts'
import type { Rig } from '../delivery/rig.ts'

/** What the client has to answer next. */
type Delivery = {
  readonly packetId: number
  readonly name: string
  readonly packet: 'publish 1' | 'publish 2' | 'pubrel'
}

/** What a client does next with a delivery. */
export type Answer = { readonly name: string; readonly what: 'taken' | 'acknowledged' }

export class Client {
  readonly user: UserId
  readonly id: string
  readonly receiveMaximum: number
  /** Everything that it was ever sent, by name, in the order of the first time. */
  seen: string[] = []
  filter: string
  device: TestDevice | undefined
  /** Sent or released on this connection and not acknowledged. */
  pending: Delivery[] = []
  /** PUBREC was sent; PUBREL has not come on this connection. */
  readonly #taken = new Map<number, string>()
  /** What last came under a packet identifier. */
  readonly #names = new Map<number, string>()
  #sent = 0
  #released = 0

  constructor(given: { user: UserId; id: string; receiveMaximum: number; filter: string }) {
    this.user = given.user
    this.id = given.id
    this.receiveMaximum = given.receiveMaximum
    this.filter = given.filter
  }

  /** Connects; where it is connected already the new connection takes over from the old one. */
  come(rig: Rig): void {
    const older = this.device
    this.lose()
    const { user, receiveMaximum } = this
    const options = { receiveMaximum, filters: this.filters() }
    this.device = new TestDevice(rig, { user, device: deviceId(this.id) }, options)
    this.device.come()
    older?.leave()
  }

  filters(): { filter: string; qos: 2 }[] {
    return [{ filter: this.filter, qos: 2 }]
  }

  leave(): void {
    this.device?.leave()
    this.lose()
  }

  /** The relay is gone. */
  lose(): void {
    this.device = undefined
    this.pending = []
    this.#taken.clear()
    this.#sent = 0
    this.#released = 0
  }

  /** Takes in what has come; `published` is called for each PUBLISH with QoS 1 or 2. */
  absorb(published: (name: string) => void): void {
    const { device } = this
    if (device === undefined) return
    for (const outgoing of device.sent.slice(this.#sent)) this.#absorb(outgoing, published)
    this.#sent = device.sent.length
    for (const packetId of device.released.slice(this.#released)) {
      // Also where the client has forgotten it: PUBREL is always answered [MQTT-4.3.3-2].
      this.pending.push({ packetId, name: this.#names.get(packetId) ?? '', packet: 'pubrel' })
      this.#taken.delete(packetId)
    }
    this.#released = device.released.length
  }

  #absorb(outgoing: Outgoing, published: (name: string) => void): void {
    if (outgoing.qos === 0) return
    const name = nameOf(outgoing)
    // A relay that does not know of PUBREC any more begins again.
    const { packetId, qos } = outgoing
    this.#taken.delete(packetId)
    this.#names.set(packetId, name)
    this.pending.push({ packetId, name, packet: qos === 2 ? 'publish 2' : 'publish 1' })
    published(name)
    if (!this.seen.includes(name)) this.seen.push(name)
  }

  /** Answers the oldest `count`: PUBACK, PUBREC or PUBCOMP. `before` is called with each. */
  answer(count: number, before: (answer: Answer) => void): void {
    for (const delivery of this.pending.splice(0, count)) {
      const { packetId, name, packet } = delivery
      if (packet === 'publish 2') {
        this.#taken.set(packetId, name)
        before({ name, what: 'taken' })
        this.device?.received(packetId)
      } else {
        before({ name, what: 'acknowledged' })
        this.device?.session.completed(packetId)
      }
    }
  }

  /** Deliveries that take up a place in the window. */
  get inFlight(): number {
    const names = new Set(this.pending.map(({ name }) => name))
    for (const name of this.#taken.values()) names.add(name)
    return names.size
  }

  /** Whether the client has it, acknowledged or not, on this connection. */
  holds(name: string): boolean {
    return this.pending.some((one) => one.name === name) || [...this.#taken.values()].includes(name)
  }
}

/** A message by its id, a receipt by what it says. */
function nameOf(outgoing: Outgoing): string {
  if (outgoing.topic.split('/')[2] === 'inbox') return idOf(outgoing)
  const { status, device } = JSON.parse(Buffer.from(outgoing.payload).toString())
  return [idOf(outgoing), status, device].filter((part) => part !== undefined).join(' ')
}
