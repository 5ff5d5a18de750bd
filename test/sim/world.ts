/** Drives a real post office and the model side by side, and compares them after each step. */
import assert from 'node:assert/strict'
import { decodeItem } from '../../src/mailbox/item.ts'
import { decodeEntry } from '../../src/message/entry.ts'
import { messageId, userId } from '../../src/message/names.ts'
import { alice, bob, type Letter, type Rig } from '../delivery/rig.ts'
import { SteeredDisk } from '../support/steered-disk.ts'
import { Client } from './client.ts'
import { type Mail, Model } from './model.ts'

export const SENDERS = [alice, userId('carol')] as const

/** The first is the sender's, for receipts; the others are the recipient's. */
const CLIENTS = [
  { user: alice, id: 'pc', receiveMaximum: 5, filter: 'users/alice/receipts/#' },
  { user: bob, id: 'phone', receiveMaximum: 2, filter: 'users/bob/inbox/#' },
  { user: bob, id: 'pad', receiveMaximum: 65_535, filter: 'users/bob/inbox/#' },
  { user: bob, id: 'tv', receiveMaximum: 3, filter: 'users/bob/inbox/#' },
] as const

export type Command =
  | { do: 'send'; from: number; qos: 1 | 2; expiresAfterS: number; count: number }
  | { do: 'retry'; which: number }
  | { do: 'come' | 'leave' | 'revoke' | 'narrow' | 'widen'; client: number }
  | { do: 'answer'; client: number; count: number }
  | { do: 'pass'; ms: number }
  | { do: 'jump'; years: number }
  | { do: 'fail'; noSpace: boolean }
  | { do: 'restart' | 'crash' | 'hold' | 'letGo' }

type Posted = { readonly from: string; readonly letter: Letter; readonly isNew: boolean }

const YEAR_MS = 365 * 86_400_000
const TURNS = 8

export class World {
  #rig: Rig
  #model = new Model()
  /** What a crash goes back to. */
  #durable = new Model()
  readonly #clients = CLIENTS.map((given) => new Client(given))
  /** Every id ever used, and who used it. */
  readonly #ids: { id: string; from: (typeof SENDERS)[number] }[] = []
  /** Messages whose senders have not been answered. */
  #posted: Posted[] = []
  #places = 0
  #isHeld = false

  constructor(rig: Rig) {
    this.#rig = rig
  }

  async start(): Promise<void> {
    await this.#rig.addUser(SENDERS[1])
    this.#come(0)
    await this.#settle()
  }

  async end(): Promise<void> {
    await this.#rig.end()
  }

  async step(command: Command): Promise<void> {
    await this.#do(command)
    await this.#settle()
    if (!this.#isHeld) this.#durable = this.#model.clone()
    await this.#check()
  }

  async #do(command: Command): Promise<void> {
    switch (command.do) {
      case 'send':
        return this.#send(command)
      case 'retry':
        return this.#retry(command.which)
      case 'come':
        return this.#come(command.client)
      case 'leave':
        return this.#client(command.client).leave()
      case 'revoke':
        return this.#revoke(command.client)
      case 'narrow':
        return this.#subscribe(command.client, 'users/bob/inbox/alice/#')
      case 'widen':
        return this.#subscribe(command.client, 'users/bob/inbox/#')
      case 'answer':
        return this.#answer(this.#client(command.client), command.count)
      case 'pass':
        return this.#pass(command.ms)
      case 'jump':
        return this.#rig.clock.jumpWall(command.years * YEAR_MS)
      case 'fail':
        return this.#fail(command.noSpace ? SteeredDisk.noSpace : 'IO error: broken')
      case 'restart':
        return this.#restart()
      case 'crash':
        return this.#crash()
      case 'hold':
        this.#isHeld = true
        return this.#rig.disk.hold()
      case 'letGo':
        return this.#letGo()
    }
  }

  #client(at: number): Client {
    return this.#clients[at % this.#clients.length] as Client
  }

  #send(given: { from: number; qos: 1 | 2; expiresAfterS: number; count: number }): void {
    const from = SENDERS[given.from] ?? alice
    for (let sent = 0; sent < given.count; sent += 1) {
      const id = `m${this.#ids.length}`
      this.#ids.push({ id, from })
      this.#hand(id, from, given)
    }
  }

  #retry(which: number): void {
    const known = this.#ids[which % Math.max(1, this.#ids.length)]
    if (known === undefined || this.#model.mails.get(known.id)?.state === 'refused') return
    this.#hand(known.id, known.from, { qos: 1, expiresAfterS: 60 })
  }

  #hand(
    id: string,
    from: (typeof SENDERS)[number],
    { qos, expiresAfterS }: { qos: 1 | 2; expiresAfterS: number },
  ): void {
    const isNew = !this.#model.mails.has(id)
    const deadlineMs = this.#rig.journal.ageMs() + expiresAfterS * 1000
    if (isNew) this.#model.accept({ id, from, place: this.#places++, deadlineMs })
    const letter = this.#rig.hand({ id: messageId(id), qos, expiresAfterS }, from, bob)
    this.#posted.push({ from, letter, isNew })
  }

  #come(at: number): void {
    const client = this.#client(at)
    if (this.#model.revoked.has(client.id)) return
    client.come(this.#rig)
    if (client.user === bob) this.#model.holders.add(client.id)
  }

  #subscribe(at: number, filter: string): void {
    const client = this.#client(at)
    if (client.user !== bob) return
    client.filter = filter
    client.device?.subscribe(client.filters())
  }

  async #revoke(at: number): Promise<void> {
    const client = this.#client(at)
    if (!this.#model.holders.has(client.id)) return
    await this.#letGo()
    client.leave()
    this.#model.revoke(client.id)
    const { roster, post } = this.#rig
    const device = [...(roster.user(bob)?.devices.values() ?? [])].find(
      ({ id }) => id === client.id,
    )
    assert(device !== undefined, 'a device that holds mail is known')
    roster.revoke(bob, device.id)
    await post.devicesLeft(bob)
  }

  #answer(client: Client, count: number): void {
    client.answer(count, ({ name, what }) => {
      if (client.user === alice) this.#model.told.add(name)
      else if (what === 'acknowledged') this.#model.acknowledge(this.#mail(name), client.id)
      else this.#mail(name)?.taken.add(client.id)
    })
  }

  #mail(id: string): Mail | undefined {
    return this.#model.mails.get(id)
  }

  async #pass(ms: number): Promise<void> {
    await this.#letGo()
    this.#rig.clock.advance(ms)
    await this.#expire()
  }

  async #expire(): Promise<void> {
    await this.#rig.janitor.sweep()
    this.#model.expire(this.#rig.journal.ageMs())
    await this.#rig.quiet()
  }

  async #restart(): Promise<void> {
    await this.#letGo()
    for (const client of this.#clients) client.leave()
    await this.#rig.restart()
  }

  async #crash(): Promise<void> {
    this.#posted = []
    this.#rig = await this.#rig.crash()
    for (const client of this.#clients) client.lose()
    this.#isHeld = false
    this.#model = this.#durable.clone()
    // A message that the crash took counts as never sent: sent again, it takes a later place.
    for (const client of this.#clients.filter(({ user }) => user === bob)) {
      client.seen = client.seen.filter((name) => this.#model.mails.has(name))
    }
  }

  /** The next write fails; two in a row would wait for the clock. */
  #fail(text: string): void {
    const { failures } = this.#rig.disk
    if (failures.length === 0) failures.push(text)
  }

  async #letGo(): Promise<void> {
    this.#isHeld = false
    this.#rig.disk.letGo()
    await this.#settle()
  }

  /** Waits until nothing more happens by itself, and takes in what has. */
  async #settle(): Promise<void> {
    const beforeMs = this.#rig.clock.monotonicMs()
    if (!this.#isHeld) await this.#rig.quiet()
    if (this.#rig.clock.monotonicMs() > beforeMs) await this.#expire()
    for (let turns = 0; turns < TURNS || this.#rig.disk.reads > 0; turns += 1) {
      await new Promise(setImmediate)
    }
    for (const client of this.#clients) {
      client.absorb((name) => this.#published(client, name))
    }
    this.#posted = this.#posted.filter((posted) => !this.#isAnswered(posted))
  }

  #published(client: Client, name: string): void {
    if (client.user === alice) {
      assert(!this.#model.told.has(name), `"${name}" came again although it was acknowledged`)
      return
    }
    const mail = this.#mail(name)
    assert(mail !== undefined, `${name} was never sent, or is gone`)
    assert(!mail.acks.has(client.id), `${name} came to ${client.id} again although acknowledged`)
    assert(!mail.taken.has(client.id), `${name} was published to ${client.id} after PUBREC`)
    if (client.seen.includes(name)) return
    for (const earlier of client.seen) {
      const other = this.#mail(earlier)
      const isLater = other?.from === mail.from && other.place > mail.place
      assert(!isLater, `${client.id} got ${name} after ${earlier} from ${mail.from}`)
    }
  }

  #isAnswered({ letter, isNew }: Posted): boolean {
    if (letter.state === 'waiting') return false
    const mail = this.#mail(letter.id)
    assert(mail !== undefined, `${letter.id} was answered but never sent`)
    assert.equal(letter.answers, 1, `${letter.id} was answered once`)
    if (letter.state === 'accepted') {
      assert(!(this.#isHeld && isNew), `${letter.id} was accepted before it was on disk`)
      assert.notEqual(mail.state, 'refused')
    } else if (mail.state !== 'refused') {
      this.#model.refuse(mail, !letter.wasFull)
    }
    return true
  }

  async #check(): Promise<void> {
    this.#checkLedger()
    this.#checkReceipts()
    for (const client of this.#clients) this.#checkClient(client)
    const { journal, clock } = this.#rig
    assert(journal.ageMs() <= clock.monotonicMs(), 'age is never ahead of time')
    if (this.#isHeld) return
    assert.equal(this.#posted.length, 0, `${this.#posted[0]?.letter.id} was answered`)
    await this.#checkStore()
  }

  #checkLedger(): void {
    const model = this.#model
    const [delivered, expired] = [model.count('delivered'), model.count('expired')]
    const queued = model.count('waiting')
    const { refused } = model
    const accepted = delivered + queued + expired
    assert.deepEqual(this.#rig.counts.ledger, { accepted, delivered, queued, expired, refused })
  }

  /** Receipts come in order, none is left out, and none is ahead of the disk. */
  #checkReceipts(): void {
    const { seen } = this.#client(0)
    assert.deepEqual(seen, this.#durable.facts.slice(0, seen.length))
  }

  /** A device that is here has all that it should have, as far as its window goes. */
  #checkClient(client: Client): void {
    if (client.device === undefined) return
    const windowMax = Math.min(client.receiveMaximum, 64)
    assert(client.inFlight <= windowMax, `${client.id} has ${client.inFlight} in flight`)
    const missing = this.#wanted(client).filter((name) => !client.holds(name))
    if (client.inFlight < windowMax) assert.deepEqual(missing, [], `${client.id} lacks nothing`)
  }

  #wanted(client: Client): string[] {
    if (client.user === alice) {
      return this.#durable.facts.filter((fact) => !this.#model.told.has(fact))
    }
    const isNarrow = client.filter !== 'users/bob/inbox/#'
    const mails = this.#model.waiting.filter(({ acks }) => !acks.has(client.id))
    // While a commit is held up, QoS 2 waits for it.
    const ready = this.#isHeld ? mails.filter(({ id }) => this.#durable.mails.has(id)) : mails
    return ready.filter(({ from }) => !isNarrow || from === 'alice').map(({ id }) => id)
  }

  /** What waits is on disk, and nothing else is. */
  async #checkStore(): Promise<void> {
    const { store } = this.#rig
    const pairs = await store.scan({ gte: 'entry/', lt: 'entry0', limit: 10_000 })
    const entries = pairs.map(([, value]) => decodeEntry(value))
    const messages = entries.flatMap((one) => (one.kind === 'message' ? [one.message.id] : []))
    assert.deepEqual(
      messages,
      this.#model.waiting.map(({ id }) => id),
      'entries of messages',
    )
    const receipts = await store.scan({ gte: 'box/receipts/', lt: 'box/receipts0', limit: 10_000 })
    const untold = this.#model.facts.filter((fact) => !this.#model.told.has(fact))
    const ours = receipts.filter(([, value]) => decodeItem(value).receipt?.from === 'alice')
    assert.equal(ours.length, untold.length, 'receipts in boxes')
    const boxes = await store.scan({ gte: 'box/', lt: 'box0', limit: 10_000 })
    assert.equal(boxes.length, messages.length + receipts.length, 'boxes hold what the journal has')
  }
}
