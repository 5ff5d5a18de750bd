/**
 * Which MQTT packet identifier carries an entry to a device.
 *
 * It follows from the entry's sequence number, so it is the same after a reconnect and after a
 * crash although nobody wrote it down: a client that has half finished a QoS 2 delivery meets the
 * same identifier again [MQTT-4.4.0-1]. The lower half of the range is for ordinary topics,
 * in the same way. Two entries in flight to one device may not share an identifier; the later
 * one waits, which takes two that are 32,768 apart in one window.
 */

const LOWEST = 0x8000
const COUNT = 0x8000

export function packetIdOf(seq: number): number {
  return LOWEST + (seq % COUNT)
}

/** Whether an acknowledgement with this identifier is for an entry, not for an ordinary topic. */
export function isDeliveryId(packetId: number): boolean {
  return packetId >= LOWEST
}

/** The identifier that carries a delivery of an ordinary topic, from the number that it has there. */
export function otherPacketIdOf(number: number): number {
  return 1 + (number % (LOWEST - 1))
}
