/**
 * One client: the front between its socket and aedes.
 *
 *     socket -> Framer -> PUBLISH, PUBREL            -> Inbound -> delivery, or OrdinaryTopics
 *                      -> SUBSCRIBE, UNSUBSCRIBE     -> Subscriber
 *                      -> PUBACK, PUBREC, PUBCOMP    -> DeviceSession, or OrdinarySession
 *                      -> CONNECT, PINGREQ, DISCONNECT -> AedesPort -> aedes
 *     socket <- Outbox <- deliveries, acknowledgements <- AedesPort <- aedes
 *
 * Packets take effect in order. Nothing is taken from a client before it is signed in but its
 * CONNECT; what it sends meanwhile waits in the framer, and the socket is paused.
 */
import type { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import type { Clock } from '../clock.ts'
import type { Filter } from '../delivery/port.ts'
import type { DeviceSession } from '../delivery/session.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Identity } from '../roster/identity.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { keepAlive, mendDisconnect, outlivesS } from './aedes-mends.ts'
import { AedesPort, type AedesPortOwner } from './aedes-port.ts'
import { checkPacket } from './check.ts'
import { encodeConnack } from './connack.ts'
import { type Connect, connackOf, readConnect } from './connect.ts'
import type { ConnectionOwner, ConnectionParts } from './connection-owner.ts'
import { DeliveryAnswers } from './delivery-answers.ts'
import { type Frame, Framer } from './framer.ts'
import { cutLater } from './linger.ts'
import type { OrdinarySession } from './ordinary/session.ts'
import { Outbox } from './outbox.ts'
import { PacketIds } from './packet-ids.ts'
import { readPublish } from './publish.ts'
import { readSubscribe, readUnsubscribe } from './subscribe.ts'
import { TopicAliases } from './topic-aliases.ts'
import type { Flow } from './traffic.ts'
import {
  ackPacketId,
  encodeAck,
  encodeDisconnect,
  explained,
  FAILURE,
  PACKET,
  packetType,
  REASON,
  type Version,
} from './wire.ts'

export class Connection implements AedesPortOwner {
  /** Address of the client, for limits and the log. */
  readonly address: string
  readonly acknowledgements: Acknowledgements
  readonly outbox: Outbox
  /** Set when the client has signed in. */
  identity: Identity | undefined
  /** The mail of a user's device, while it is connected. */
  session: DeviceSession | undefined
  /** Ordinary topics, while it is connected. */
  ordinary: OrdinarySession | undefined
  /** QoS 2 publishes of ours that the client has still to release. */
  readonly unreleased = new PacketIds()
  connect: Connect | undefined
  /** The client's id as it knows it: its own, or the one that the relay has assigned. */
  assignedId = ''
  /** Whether the roster counts this connection for a device. */
  isRegistered = false
  isResumed = false
  readonly #owner: ConnectionOwner
  readonly #clock: Clock
  readonly #log: Log
  readonly #socket: Duplex
  readonly #received: Flow
  readonly #port: AedesPort
  readonly #client: Client
  readonly #framer = new Framer(LIMITS.connectBytesMax)
  readonly #topicAliases = new TopicAliases()
  readonly #answers = new DeliveryAnswers(this)
  #state: 'new' | 'connecting' | 'connected' | 'closed' = 'new'
  #isSocketOver = false
  #isReading = false
  #isSubscribing = false
  #isInputOver = false
  #dropped = 0

  constructor(parts: ConnectionParts, options: { address: string }) {
    this.address = options.address
    this.#owner = parts.owner
    this.#socket = parts.socket
    this.#received = parts.traffic.received
    this.#clock = parts.clock
    this.#log = parts.log
    const stuck = () => this.disconnect(REASON.quotaExceeded)
    this.outbox = new Outbox({ ...parts, stuck })
    this.acknowledgements = new Acknowledgements((packet) => this.#acknowledge(packet))
    this.#port = new AedesPort(this)
    this.#client = parts.owner.attach(this.#port, this)
  }

  /** Begins to read. */
  start(): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      if (this.isClosed) {
        this.#drop(chunk)
        return
      }
      this.#received.bytes += chunk.length
      this.#framer.push(chunk)
      this.#read()
    })
    socket.on('drain', () => this.#answers.resume())
    socket.on('error', (error) =>
      this.#log.debug({ address: this.address, error }, 'a socket failed'),
    )
    socket.on('end', () => this.#socketEnded())
    socket.on('close', () => this.#socketEnded())
  }

  /** What comes after the end is taken off the socket, so that it can close; but not for ever. */
  #drop(chunk: Buffer): void {
    this.#dropped += chunk.length
    if (this.#dropped > LIMITS.lingerBytesMax) this.#socket.destroy()
  }

  get version(): Version {
    return this.connect?.version ?? 4
  }

  /** aedes' view of the client. */
  get client(): Client {
    return this.#client
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Whether the client is signed in and has been told so. */
  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  get isCongested(): boolean {
    return this.outbox.isCongested
  }

  /** Subscriptions that can bring mail, those of an earlier connection included. */
  get filters(): Filter[] {
    const all = [...(this.ordinary?.subscriptions.values() ?? [])]
    return all.filter(({ group }) => group === undefined)
  }

  #read(): void {
    if (this.#isReading) return
    this.#isReading = true
    try {
      if (this.#state === 'new') this.#checkFirst()
      while (this.#canRead()) {
        const frame = this.#framer.next()
        if (frame === undefined) break
        this.#take(frame)
      }
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      this.#fail(error)
    } finally {
      this.#isReading = false
    }
    if (this.#isSocketOver && this.#canRead()) this.#inputEnded()
    else if (this.#canRead() || this.isClosed) this.#socket.resume()
    else this.#socket.pause()
  }

  /** What does not begin as a CONNECT is no client of ours; its length is not waited for. */
  #checkFirst(): void {
    const first = this.#framer.firstByte
    if (first !== undefined && first >> 4 !== PACKET.connect) {
      throw new RelayError('BAD_PACKET', 'the first packet is not CONNECT [MQTT-3.1.0-1]')
    }
  }

  /** Whether the next packet may take effect now. */
  #canRead(): boolean {
    if (this.#state === 'new') return true
    if (this.acknowledgements.isFull || this.#port.isFull) return false
    return this.#state === 'connected' && !this.#isSubscribing
  }

  #acknowledge(packet: Buffer): void {
    this.write(packet)
    // The client had as many publishes under way as it may; now there is room for one more.
    this.#readSoon()
  }

  /** What kept the client from being read may be over. */
  #readSoon(): void {
    if (this.#socket.isPaused() && this.#state === 'connected') queueMicrotask(() => this.#read())
  }

  /** Sends a packet; a client that takes none of what waits for it is let go. */
  write(packet: Buffer): void {
    if (!this.takes(packet)) {
      this.disconnect(REASON.packetTooLarge)
      return
    }
    this.outbox.push(packet)
    if (this.outbox.waiting > LIMITS.outboxBytesMax) this.disconnect(REASON.quotaExceeded)
  }

  #take(frame: Frame): void {
    this.#received.packet(frame.bytes)
    if (this.#state === 'new') {
      this.#takeConnect(frame)
      return
    }
    keepAlive(this.#client)
    if (packetType(frame.bytes) === PACKET.publish) {
      this.#takePublish(frame)
      return
    }
    const { version, connect } = this
    checkPacket(frame, { version, sessionExpiryS: connect?.sessionExpiryS ?? 0 })
    switch (packetType(frame.bytes)) {
      case PACKET.puback:
      case PACKET.pubrec:
      case PACKET.pubcomp:
        this.#answers.take(frame)
        return
      case PACKET.pubrel:
        this.#released(ackPacketId(frame))
        return
      case PACKET.subscribe:
        this.#subscribing(this.#owner.subscribe(this, readSubscribe(frame, version)))
        return
      case PACKET.unsubscribe:
        this.#subscribing(this.#owner.unsubscribe(this, readUnsubscribe(frame, version)))
        return
      case PACKET.disconnect:
        this.#port.give(mendDisconnect(frame, this.version))
        return
      default:
        this.#port.give(frame.bytes)
    }
  }

  #takeConnect(frame: Frame): void {
    try {
      this.connect = readConnect(frame)
    } catch (error) {
      const reason = error instanceof RelayError ? error.facts.mqtt : FAILURE
      const connack = connackOf(frame, reason)
      if (connack !== undefined) this.outbox.open(connack)
      throw error
    }
    this.#state = 'connecting'
    this.#port.give(frame.bytes)
  }

  #takePublish(frame: Frame): void {
    const received = readPublish(frame, this.version)
    const topic = this.#topicAliases.resolve(received.topic, received.properties.topicAlias)
    const publish = topic === received.topic ? received : { ...received, topic }
    this.#owner.publish(this, publish)
  }

  /** One at a time: what comes next waits until it has taken effect. */
  #subscribing(answered: Promise<void>): void {
    this.#isSubscribing = true
    const end = () => {
      this.#isSubscribing = false
      this.#readSoon()
    }
    answered.then(end, (error: unknown) => {
      this.#log.error({ address: this.address, error }, 'a subscription failed')
      this.disconnect(FAILURE)
      end()
    })
  }

  /** PUBREL for a publish of the client's. */
  #released(packetId: number): void {
    const isKnown = this.unreleased.delete(packetId)
    const reason = isKnown ? REASON.success : REASON.packetIdentifierNotFound
    const pubcomp = encodeAck('pubcomp', packetId, this.version, reason)
    this.#owner.finished(this, packetId, () => this.write(pubcomp))
  }

  /** aedes has accepted the CONNECT and written CONNACK. */
  accepted(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'connected'
    this.#framer.packetBytesMax = LIMITS.packetBytesMax
    this.#owner.connected(this)
    this.#read()
  }

  fromAedes(frame: Frame): void {
    const type = packetType(frame.bytes)
    if (type !== PACKET.connack) this.write(frame.bytes)
    else if (frame.bytes[frame.bodyAt + 1] !== REASON.success) this.outbox.open(frame.bytes)
    else this.#welcome()
  }

  #welcome(): void {
    const { clientId = '', sessionExpiryS = 0 } = this.connect ?? {}
    const allowedS = outlivesS(this.#client)
    this.isResumed = this.#owner.hasSession(this)
    const connack = encodeConnack(
      {
        isSessionPresent: this.isResumed,
        assignedId: clientId === '' ? this.assignedId : undefined,
        sessionExpiryS: sessionExpiryS > allowedS ? allowedS : undefined,
      },
      this.version,
    )
    if (this.takes(connack)) this.outbox.open(connack)
    // It could not even be told.
    else this.#end()
  }

  /** Whether the client takes packets of this length [MQTT-3.1.2-24]. */
  takes(packet: Buffer): boolean {
    return packet.length <= (this.connect?.packetBytesMax ?? Number.POSITIVE_INFINITY)
  }

  /** Whether the client takes no more mail for now [MQTT-3.3.4-9]. */
  get isWindowFull(): boolean {
    if (this.connect === undefined || this.ordinary === undefined) return true
    return this.mailInFlight + this.ordinary.inFlight >= this.connect.receiveMaximum
  }

  get mailInFlight(): number {
    return this.session?.inFlight ?? 0
  }

  aedesHasRoom(): void {
    this.#readSoon()
  }

  /** A packet that says what went wrong, for a client that wants it in words, too. */
  explain(packet: Buffer, why: string): Buffer {
    const { wantsReasons = false, packetBytesMax = 0 } = this.connect ?? {}
    return wantsReasons ? explained(packet, why, packetBytesMax) : packet
  }

  /** Ends the connection and tells an MQTT 5 client why (3.14.2.1). */
  disconnect(reason: number, why?: string): void {
    if (this.#state === 'closed') return
    if (this.version === 5 && this.#state === 'connected') {
      const packet = encodeDisconnect(reason)
      this.outbox.push(why === undefined ? packet : this.explain(packet, why))
    }
    this.#end()
  }

  #fail(error: RelayError): void {
    const { code, message } = error
    this.#log.info({ address: this.address, client: this.connect?.clientId, code }, message)
    this.disconnect(error.facts.mqtt, message)
  }

  endedByAedes(): void {
    this.#end()
  }

  #socketEnded(): void {
    if (this.#isSocketOver) return
    this.#isSocketOver = true
    this.#read()
  }

  /** The client has said all it had to say; aedes ends when it has taken the rest. */
  #inputEnded(): void {
    if (this.#port.readableEnded || this.#isInputOver) return
    this.#isInputOver = true
    this.#port.push(null)
    cutLater(this.#clock, this.#port, () => this.#end())
  }

  /** Ends both sides, once; what was gathered for the client still goes out. */
  #end(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#owner.closed(this)
    this.outbox.close()
    this.#socket.end()
    this.#socket.resume()
    cutLater(this.#clock, this.#socket, () => this.#socket.destroy())
    if (!this.#port.destroyed) this.#port.destroy()
  }
}
