import t from 'tap'
import { Reader } from '../../src/broker/reader.ts'

const reader = (...bytes: number[]) => new Reader('a PACKET', Buffer.from(bytes), 0, bytes.length)

t.test('each field is read where the last one ended', async (t) => {
  const packet = reader(7, 1, 2, 0, 0, 1, 0, 0x80, 1, 0, 2, 104, 105, 0, 1, 0xff, 0, 9)
  t.equal(packet.byte(), 7)
  t.equal(packet.uint16(), 0x0102)
  t.equal(packet.uint32(), 256)
  t.equal(packet.variable(), 128)
  t.equal(packet.text(), 'hi')
  t.same(packet.binary(), Buffer.from([0xff]))
  t.equal(packet.packetId(), 9)
  t.ok(packet.isDone)
  t.doesNotThrow(() => packet.end())
})

t.test('what is not there is BAD_PACKET, and the packet is named', async (t) => {
  const says = { code: 'BAD_PACKET', message: /^a PACKET is malformed/ }
  t.throws(() => reader().byte(), says)
  t.throws(() => reader(1).uint16(), says)
  t.throws(() => reader(1, 2, 3).uint32(), says)
  t.throws(() => reader(0x80).variable(), says)
  t.throws(() => reader(0xff, 0xff, 0xff, 0xff, 1).variable(), says)
  t.throws(() => reader(0, 2, 1).binary(), says)
  t.throws(() => reader(1).part(2), says)
  t.throws(() => reader(1).end(), says)
})

t.test('a part ends where it ends, and the packet goes on behind it', async (t) => {
  const packet = reader(1, 2, 3)
  const part = packet.part(2)
  part.uint16()
  t.throws(() => part.byte(), { code: 'BAD_PACKET' })
  t.equal(packet.byte(), 3)
})

t.test('bytes behind its end are not read, though they are there', async (t) => {
  const packet = new Reader('a PACKET', Buffer.from([0x80, 1, 5]), 0, 1)
  t.throws(() => packet.variable(), { code: 'BAD_PACKET' })
})

t.test('no UTF-8, U+0000 and packet identifier 0 are BAD_PACKET', async (t) => {
  t.throws(() => reader(0, 1, 0xc3).text(), { code: 'BAD_PACKET' })
  t.throws(() => reader(0, 3, 0xed, 0xa0, 0x80).text(), { code: 'BAD_PACKET' })
  t.throws(() => reader(0, 1, 0).text(), { code: 'BAD_PACKET' })
  t.throws(() => reader(0, 0).packetId(), { code: 'BAD_PACKET' })
})

t.test('its errors say which of the two kinds they are', async (t) => {
  t.match(reader().malformed('x'), { code: 'BAD_PACKET', message: 'a PACKET is malformed: x' })
  const breaks = { code: 'PROTOCOL_ERROR', message: 'a PACKET breaks the protocol: x' }
  t.match(reader().protocolError('x'), breaks)
})
