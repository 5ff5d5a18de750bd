/**
 * One client: the front between its socket and aedes.
 *
 *     socket -> Framer -> PUBLISH to a person       -> delivery (our lane)
 *                      -> PUBACK … of a delivery    -> delivery (our lane)
 *                      -> everything else           -> AedesPort -> aedes
 *     socket <- Outbox <- delivery, acknowledgements <- AedesPort <- aedes
 *
 * Packets take effect in order. Nothing is taken from a client before it is signed in but its
 * CONNECT; what it sends meanwhile waits in the framer, and the socket is paused.
 */
import type { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import type { Clock } from '../clock.ts'
import { isDeliveryId } from '../delivery/packet-id.ts'
import type { Filter } from '../delivery/port.ts'
import type { DeviceSession } from '../delivery/session.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Identity } from '../roster/identity.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { keepAlive, mendDisconnect, subscriptionsOf } from './aedes-mends.ts'
import { AedesPort, type AedesPortOwner } from './aedes-port.ts'
import { checkPacket } from './check.ts'
import { type Connect, connackOf, readConnect, withSession } from './connect.ts'
import type { ConnectionOwner, ConnectionParts } from './connection-owner.ts'
import { type Frame, Framer } from './framer.ts'
import { cutLater } from './linger.ts'
import { type DeliveryOutlet, OrdinaryDeliveries } from './ordinary-deliveries.ts'
import { Outbox } from './outbox.ts'
import { PacketIds } from './packet-ids.ts'
import { readPublish } from './publish.ts'
import { readSubscribe, refusalOf } from './subscribe.ts'
import { endsTurn, SubscribeTurn } from './subscribe-turn.ts'
import { TopicAliases } from './topic-aliases.ts'
import type { Flow } from './traffic.ts'
import {
  ackPacketId,
  ackReason,
  encodeAck,
  encodeDisconnect,
  FAILURE,
  PACKET,
  packetType,
  REASON,
  type Version,
} from './wire.ts'

export class Connection implements AedesPortOwner, DeliveryOutlet {
  /** Address of the client, for limits and the log. */
  readonly address: string
  readonly acknowledgements: Acknowledgements
  readonly outbox: Outbox
  /** Set when the client has signed in. */
  identity: Identity | undefined
  /** Of a user's device, while it is connected. */
  session: DeviceSession | undefined
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
  readonly #subscribeTurn = new SubscribeTurn(() => this.#readSoon())
  #ordinary: OrdinaryDeliveries | undefined
  #state: 'new' | 'connecting' | 'connected' | 'closed' = 'new'
  #isSocketOver = false
  #isReading = false
  #isInputOver = false

  constructor(parts: ConnectionParts, options: { address: string }) {
    this.address = options.address
    this.#owner = parts.owner
    this.#socket = parts.socket
    this.#received = parts.traffic.received
    this.#clock = parts.clock
    this.#log = parts.log
    this.outbox = new Outbox(parts)
    this.acknowledgements = new Acknowledgements((packet) => this.#acknowledge(packet))
    this.#port = new AedesPort(this)
    this.#client = parts.owner.attach(this.#port, this)
  }

  /** Begins to read. */
  start(): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      // What still comes after the end is taken off the socket, so that it can close, and dropped.
      if (this.isClosed) return
      this.#received.bytes += chunk.length
      this.#framer.push(chunk)
      this.#read()
    })
    socket.on('drain', () => this.session?.resume())
    socket.on('error', (error) =>
      this.#log.debug({ address: this.address, error }, 'a socket failed'),
    )
    socket.on('end', () => this.#socketEnded())
    socket.on('close', () => this.#socketEnded())
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
    return this.outbox.waiting > LIMITS.outboxBytesHigh
  }

  /** Subscriptions of the client, those restored with its session included. */
  get filters(): Filter[] {
    return subscriptionsOf(this.#client).map(([filter, { qos }]) => ({ filter, qos }))
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
    return this.#state === 'connected' && !this.#subscribeTurn.isTaken
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
    this.outbox.push(packet)
    if (this.outbox.waiting > LIMITS.outboxBytesMax) this.tooSlow()
  }

  #take(frame: Frame): void {
    this.#received.packet(frame.bytes)
    if (this.#state === 'new') {
      this.#takeConnect(frame)
      return
    }
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
      case PACKET.pubrel:
        this.#takeAck(frame)
        return
      case PACKET.subscribe:
        this.#takeSubscribe(frame)
        return
      case PACKET.unsubscribe:
        this.#subscribeTurn.take()
        this.#port.give(frame.bytes)
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
    this.#ordinary = new OrdinaryDeliveries({ outlet: this, log: this.#log }, this.connect)
    this.#state = 'connecting'
    this.#port.give(frame.bytes)
  }

  #takePublish(frame: Frame): void {
    const received = readPublish(frame, this.version)
    const topic = this.#topicAliases.resolve(received.topic, received.properties.topicAlias)
    const publish = topic === received.topic ? received : { ...received, topic }
    keepAlive(this.#client)
    if (!this.#owner.publish(this, publish)) return
    if (publish.qos > 0) this.acknowledgements.expect(publish.packetId)
    this.#port.give(frame.bytes)
  }

  #takeSubscribe(frame: Frame): void {
    const known = this.filters.map(({ filter }) => filter)
    const asked = readSubscribe(frame, this.version)
    const refusal = refusalOf(asked, this.version, known)
    if (refusal !== undefined) {
      this.write(refusal)
      return
    }
    this.#subscribeTurn.take(asked)
    this.#port.give(frame.bytes)
  }

  #takeAck(frame: Frame): void {
    const packetId = ackPacketId(frame)
    const type = packetType(frame.bytes)
    if (type === PACKET.pubrel) {
      if (!this.unreleased.delete(packetId)) this.#port.give(frame.bytes)
      else this.write(encodeAck('pubcomp', packetId, this.version))
    } else {
      const isDone = type !== PACKET.pubrec || ackReason(frame) >= FAILURE
      if (isDeliveryId(packetId)) this.#mailAcknowledged(packetId, isDone)
      else this.#ordinaryAcknowledged(frame, packetId, isDone)
    }
    keepAlive(this.#client)
  }

  #mailAcknowledged(packetId: number, isDone: boolean): void {
    if (!isDone) {
      this.session?.received(packetId)
      return
    }
    this.session?.completed(packetId)
    this.#ordinary?.pump()
    this.session?.resume()
  }

  #ordinaryAcknowledged(frame: Frame, packetId: number, isDone: boolean): void {
    this.#port.give(frame.bytes)
    if (!isDone) return
    this.#ordinary?.acknowledged(packetId)
    this.session?.resume()
  }

  giveAedes(packet: Buffer): void {
    this.#port.give(packet)
  }

  tooSlow(): void {
    this.disconnect(REASON.quotaExceeded)
  }

  /** aedes has accepted the CONNECT and written CONNACK. */
  accepted(isResumed: boolean): void {
    if (this.#state !== 'connecting') return
    this.isResumed = isResumed
    this.#state = 'connected'
    this.#framer.packetBytesMax = LIMITS.packetBytesMax
    this.#owner.connected(this)
    this.#read()
  }

  fromAedes(frame: Frame): void {
    const type = packetType(frame.bytes)
    if (type === PACKET.connack) {
      this.outbox.open(this.#owner.hasUnfinished(this) ? withSession(frame) : frame.bytes)
      return
    }
    if (type === PACKET.puback || type === PACKET.pubrec) {
      // aedes writes PUBREC when it has stored the message, PUBACK before.
      const isDecided = type === PACKET.pubrec || ackReason(frame) >= FAILURE
      if (this.acknowledgements.hold(ackPacketId(frame), frame.bytes, isDecided)) return
    }
    if (type === PACKET.publish) this.#ordinary?.publish(frame)
    else this.write(endsTurn(frame) ? this.#subscribeTurn.end(frame, this.version) : frame.bytes)
  }

  /** Whether the client takes packets of this length [MQTT-3.1.2-24]. */
  takes(packet: Buffer): boolean {
    return packet.length <= (this.connect?.packetBytesMax ?? Number.POSITIVE_INFINITY)
  }

  /** Whether the client takes no more mail for now [MQTT-3.3.4-9]. */
  get isWindowFull(): boolean {
    if (this.connect === undefined || this.#ordinary === undefined) return true
    const inFlight = this.mailInFlight + this.#ordinary.inFlight
    return this.#ordinary.isWaiting || inFlight >= this.connect.receiveMaximum
  }

  get mailInFlight(): number {
    return this.session?.inFlight ?? 0
  }

  /** Whether a publish to the client, of those that aedes delivers, has this identifier. */
  isInFlight(packetId: number): boolean {
    return this.#ordinary?.isInFlight(packetId) === true
  }

  aedesHasRoom(): void {
    this.#readSoon()
  }

  /** Ends the connection and tells an MQTT 5 client why (3.14.2.1). */
  disconnect(reason: number): void {
    if (this.#state === 'closed') return
    if (this.version === 5 && this.#state === 'connected')
      this.outbox.push(encodeDisconnect(reason))
    this.#end()
  }

  #fail(error: RelayError): void {
    const { code, message } = error
    this.#log.info({ address: this.address, client: this.connect?.clientId, code }, message)
    this.disconnect(error.facts.mqtt)
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
    this.outbox.flush()
    this.#socket.end()
    this.#socket.resume()
    cutLater(this.#clock, this.#socket, () => this.#socket.destroy())
    if (!this.#port.destroyed) this.#port.destroy()
  }
}
