/** The CONNECT packet, as far as the front has to know it; aedes reads it again in full. */
import mqttPacket from 'mqtt-packet'
import { RelayError } from '../errors.ts'
import { PACKET, packetType, type Version } from './wire.ts'

export type Connect = {
  readonly version: Version
  /** Empty where the relay is to choose one. */
  readonly clientId: string
  /** QoS 1 and 2 publishes that the client takes unacknowledged (3.1.2.11.3). */
  readonly receiveMaximum: number
}

const RECEIVE_MAXIMUM_DEFAULT = 65_535

/** @throws BAD_PACKET for anything but a CONNECT that can be read [MQTT-3.1.0-1] */
export function readConnect(bytes: Buffer): Connect {
  if (packetType(bytes) !== PACKET.connect) {
    throw new RelayError('BAD_PACKET', 'the first packet is not CONNECT')
  }
  const packet = parsed(bytes)
  if (packet?.cmd !== 'connect') throw new RelayError('BAD_PACKET', 'a CONNECT cannot be read')
  const { protocolVersion, clientId, properties } = packet
  return {
    version: protocolVersion === 5 || protocolVersion === 3 ? protocolVersion : 4,
    clientId: clientId ?? '',
    receiveMaximum: properties?.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT,
  }
}

function parsed(bytes: Buffer): mqttPacket.Packet | undefined {
  const parser = mqttPacket.parser()
  let packet: mqttPacket.Packet | undefined
  parser.on('packet', (found) => {
    packet = found
  })
  parser.on('error', (cause) => {
    throw new RelayError('BAD_PACKET', 'a CONNECT cannot be read', { cause })
  })
  parser.parse(bytes)
  return packet
}
