/**
 * One packet of each kind that a client sends, and the two ways to take it apart that the bench
 * compares: ours, which checks it as well, and that of mqtt-packet.
 */
import mqttPacket, { type Packet } from 'mqtt-packet'
import { type Context, checkPacket } from '../src/broker/check.ts'
import { readConnect } from '../src/broker/connect.ts'
import { type Frame, Framer } from '../src/broker/framer.ts'
import { readPublish } from '../src/broker/publish.ts'
import { readSubscribe, readUnsubscribe } from '../src/broker/subscribe.ts'

export type Version = 4 | 5

const PAYLOAD_BYTES = 200
const TOPIC = 'users/bob/inbox/alice/019ac2f7-3b1c-7d2e-9c40-5d9a6f1e2b3c'
const FILTER = 'users/alice/inbox/#'
const ID = { messageId: 4_711 }

/** Packets of every kind, by name. */
export function packetsOf(version: Version): ReadonlyMap<string, Buffer> {
  const publish = (qos: 0 | 1 | 2): Packet => ({
    ...{ cmd: 'publish', topic: TOPIC, payload: Buffer.alloc(PAYLOAD_BYTES, 'x'), qos, ...ID },
    ...{ dup: false, retain: false },
  })
  const connect: Packet = {
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clientId: 'phone' },
    ...{ clean: true, keepalive: 60, username: 'alice', password: Buffer.from('wonderland') },
  }
  const packets: Readonly<Record<string, Packet>> = {
    CONNECT: connect,
    'PUBLISH QoS 0': publish(0),
    'PUBLISH QoS 1': publish(1),
    'PUBLISH QoS 2': publish(2),
    PUBACK: { cmd: 'puback', ...ID },
    PUBREC: { cmd: 'pubrec', ...ID },
    PUBREL: { cmd: 'pubrel', ...ID },
    PUBCOMP: { cmd: 'pubcomp', ...ID },
    SUBSCRIBE: { cmd: 'subscribe', ...ID, subscriptions: [{ topic: FILTER, qos: 1 }] },
    UNSUBSCRIBE: { cmd: 'unsubscribe', ...ID, unsubscriptions: [FILTER] },
    PINGREQ: { cmd: 'pingreq' },
    DISCONNECT: { cmd: 'disconnect' },
  }
  const bytesOf = (packet: Packet) => mqttPacket.generate(packet, { protocolVersion: version })
  return new Map(Object.entries(packets).map(([name, packet]) => [name, bytesOf(packet)]))
}

/** Takes a chunk in; returns how many packets were in it. */
export type Take = (chunk: Buffer) => number

/** As the relay does it: cut, read and checked. */
export function ours(kind: string, version: Version): Take {
  const framer = new Framer(Number.POSITIVE_INFINITY)
  const read = readerOf(kind, { version, sessionExpiryS: 0 })
  return (chunk) => {
    framer.push(chunk)
    let count = 0
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      read(frame)
      count += 1
    }
    return count
  }
}

/** Those that are read where they are decided, once they are known to be in order. */
const READERS = new Map<string, (frame: Frame, version: Context['version']) => unknown>([
  ['SUBSCRIBE', readSubscribe],
  ['UNSUBSCRIBE', readUnsubscribe],
])

function readerOf(kind: string, context: Context): (frame: Frame) => void {
  const { version } = context
  if (kind === 'CONNECT') return readConnect
  if (kind.startsWith('PUBLISH')) return (frame) => readPublish(frame, version)
  const read = READERS.get(kind)
  return (frame) => {
    checkPacket(frame, context)
    read?.(frame, version)
  }
}

/** With mqtt-packet, which aedes uses. */
export function theirs(version: Version): Take {
  const parser = mqttPacket.parser({ protocolVersion: version })
  let count = 0
  parser.on('packet', () => {
    count += 1
  })
  parser.on('error', (error) => {
    throw error
  })
  return (chunk) => {
    count = 0
    parser.parse(chunk)
    return count
  }
}
