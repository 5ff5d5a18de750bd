import t from 'tap'
import { checkPacket } from '../../src/broker/check.ts'
import type { Frame } from '../../src/broker/framer.ts'
import type { Version } from '../../src/broker/wire.ts'
import { packetOf } from './frame.ts'

const check = (frame: Frame, version: Version = 5, sessionExpiryS = 0) =>
  checkPacket(frame, { version, sessionExpiryS })

const VERSIONS = [3, 4, 5] as const

t.test('packets as they should be pass', async (t) => {
  for (const version of VERSIONS) {
    const properties = version === 5 ? [0] : []
    for (const frame of [
      packetOf(0x40, 0, 1),
      packetOf(0x50, 0, 1),
      packetOf(0x62, 0, 1),
      packetOf(0x70, 0, 1),
      packetOf(0x82, 0, 1, ...properties, 'a', 1),
      packetOf(0xa2, 0, 1, ...properties, 'a', 'b'),
      packetOf(0xc0),
      packetOf(0xe0),
    ]) {
      t.doesNotThrow(() => check(frame, version))
    }
  }
  for (const frame of [
    packetOf(0x40, 0, 1, 0x10),
    packetOf(0x40, 0, 1, 0x97, 0),
    packetOf(0x50, 0, 1, 0x80, 4, 0x1f, 0, 1, 97),
    packetOf(0x62, 0, 1, 0x92),
    packetOf(0x70, 0, 1, 0, 5, 0x26, 0, 0, 0, 0),
    packetOf(0xe0, 4),
    packetOf(0xe0, 0x81, 0),
    packetOf(0xe0, 0, 5, 0x11, 0, 0, 0, 0),
  ]) {
    t.doesNotThrow(() => check(frame))
  }
  t.doesNotThrow(() => check(packetOf(0xe0, 0, 5, 0x11, 0, 0, 0, 9), 5, 60))
})

t.test('flags that are not their own are BAD_PACKET [MQTT-2.1.3-1]', async (t) => {
  const own = new Map([
    [6, 2],
    [8, 2],
    [10, 2],
  ])
  for (const type of [4, 5, 6, 7, 8, 10, 12, 14, 15]) {
    for (let flags = 0; flags < 16; flags += 1) {
      if (flags === (own.get(type) ?? 0)) continue
      t.throws(() => check(packetOf((type << 4) | flags, 0, 1)), { code: 'BAD_PACKET' })
    }
  }
})

t.test('packet identifier 0, too much and too little are BAD_PACKET', async (t) => {
  for (const version of VERSIONS) {
    for (const frame of [
      packetOf(0x40, 0, 0),
      packetOf(0x50, 0, 0),
      packetOf(0x62, 0, 0),
      packetOf(0x70, 0, 0),
      packetOf(0x40),
      packetOf(0x40, 1),
      packetOf(0x40, 0, 1, 0, 0, 0),
      packetOf(0xc0, 0),
      packetOf(0xe0, 0, 0, 0),
    ]) {
      t.throws(() => check(frame, version), { code: 'BAD_PACKET' })
    }
  }
  for (const frame of [packetOf(0x40, 0, 1, 0), packetOf(0xe0, 0)]) {
    t.throws(() => check(frame, 4), { code: 'BAD_PACKET' }, '3.1.1 has no reason codes')
  }
})

t.test('reason codes of another packet are PROTOCOL_ERROR', async (t) => {
  for (const frame of [
    packetOf(0x40, 0, 1, 0x92),
    packetOf(0x50, 0, 1, 0x01),
    packetOf(0x62, 0, 1, 0x97),
    packetOf(0x70, 0, 1, 0x10),
    packetOf(0xe0, 0x8b),
    packetOf(0xe0, 0x01),
  ]) {
    t.throws(() => check(frame), { code: 'PROTOCOL_ERROR' })
  }
})

t.test('what only servers send, a second CONNECT and AUTH are PROTOCOL_ERROR', async (t) => {
  for (const version of VERSIONS) {
    for (const first of [0x00, 0x10, 0x20, 0x90, 0xb0, 0xd0, 0xf0]) {
      t.throws(() => check(packetOf(first, 0, 0), version), { code: 'PROTOCOL_ERROR' })
    }
  }
})

t.test('a session that was to end cannot be kept at DISCONNECT (3.14.2.2.2)', async (t) => {
  const frame = packetOf(0xe0, 0, 5, 0x11, 0, 0, 0, 9)
  t.throws(() => check(frame, 5, 0), { code: 'PROTOCOL_ERROR' })
})
