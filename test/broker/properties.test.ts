import t from 'tap'
import {
  type ClientProperties,
  encodeProperties,
  readProperties,
} from '../../src/broker/properties.ts'
import { Reader } from '../../src/broker/reader.ts'
import { RelayError } from '../../src/errors.ts'

const FULL = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 'users/alice/inbox/bob/m2',
  correlationData: Buffer.from([0, 1, 2]),
  userProperties: [
    ['mood', 'good'],
    ['mood', 'better'],
    ['', ''],
  ],
} as const

function readAll(bytes: Buffer, end = bytes.length): ClientProperties {
  const reader = new Reader('a PUBLISH', bytes, 0, end)
  const properties = readProperties(reader, 'publish')
  reader.end()
  return properties
}

function read(...body: number[]): unknown {
  return readAll(Buffer.from([body.length, ...body]))
}

function text(id: number, content: Buffer | string): number[] {
  const bytes = Buffer.from(content)
  return [id, bytes.length >> 8, bytes.length & 0xff, ...bytes]
}

t.test('what is written is read', async (t) => {
  const bytes = encodeProperties({
    properties: FULL,
    expiresInS: 60,
    marks: [['waypost-from', 'alice']],
  })
  t.same(readAll(bytes), {
    ...FULL,
    messageExpiryInterval: 60,
    userProperties: [...FULL.userProperties, ['waypost-from', 'alice']],
  })
  t.same(encodeProperties({}), Buffer.from([0]))
})

t.test('each identifier of a subscription is one more property [MQTT-3.3.4-4]', async (t) => {
  t.same(encodeProperties({ identifiers: [1, 300] }), Buffer.from([5, 0x0b, 1, 0x0b, 0xac, 2]))
})

t.test('every truncation is BAD_PACKET', async (t) => {
  const bytes = encodeProperties({ properties: FULL, expiresInS: 60 })
  for (let end = 0; end < bytes.length; end += 1) {
    t.throws(() => readAll(bytes, end), { code: 'BAD_PACKET' })
  }
  // Also with a length that fits what is left.
  for (let end = 2; end < bytes.length; end += 1) {
    const cut = Buffer.from(bytes.subarray(0, end))
    cut[0] = end - 1
    try {
      readAll(cut)
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'BAD_PACKET') t.fail(String(error))
    }
  }
})

t.test('a property twice is PROTOCOL_ERROR, one of another packet BAD_PACKET', async (t) => {
  t.throws(() => read(0x01, 0, 0x01, 0), { code: 'PROTOCOL_ERROR' })
  for (const id of [0, 0x0b, 0x11, 0x12, 0x18, 0x1f, 0x21, 0x7f, 0xff]) {
    t.throws(() => read(id, 0, 0, 0, 0), { code: 'BAD_PACKET' })
  }
})

t.test('what would poison its recipient is refused', async (t) => {
  t.throws(() => read(0x01, 2), { code: 'PROTOCOL_ERROR' })
  t.throws(() => read(...text(0x03, Buffer.from([0xff]))), { code: 'BAD_PACKET' })
  t.throws(() => read(...text(0x03, 'a\0b')), { code: 'BAD_PACKET' })
  t.throws(() => read(...text(0x08, 'a/+')), { code: 'PROTOCOL_ERROR' })
  t.throws(() => read(...text(0x08, '#')), { code: 'PROTOCOL_ERROR' })
  t.throws(() => read(...text(0x26, 'a'), ...text(0, Buffer.from([0xc0])).slice(1)), {
    code: 'BAD_PACKET',
  })
  // Encoded surrogates, which is not UTF-8 either.
  t.throws(() => read(...text(0x03, Buffer.from([0xed, 0xa0, 0x80]))), { code: 'BAD_PACKET' })
})

t.test('the longest texts come through', async (t) => {
  const longest = 'x'.repeat(65_535)
  const bytes = encodeProperties({ properties: { contentType: longest } })
  t.same(readAll(bytes), { contentType: longest })
})

t.test('correlation data does not keep the packet in memory', async (t) => {
  const bytes = encodeProperties({ properties: { correlationData: Buffer.from('abc') } })
  const properties = readAll(bytes)
  bytes.fill(0)
  t.same(Buffer.from(properties.correlationData ?? []), Buffer.from('abc'))
})

t.test('names that objects have are names', async (t) => {
  const names = ['__proto__', 'constructor'].flatMap((name) => [
    ...text(0x26, name),
    ...text(0, 'x').slice(1),
  ])
  t.same(read(...names), {
    userProperties: [
      ['__proto__', 'x'],
      ['constructor', 'x'],
    ],
  })
})
