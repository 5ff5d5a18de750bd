import { decode, encode } from 'cborg'
import fc from 'fast-check'
import t from 'tap'
import { decodeEntry, type Entry, encodeEntry, isStateEntry } from '../../src/message/entry.ts'
import type { Message } from '../../src/message/message.ts'
import { messageId, userId } from '../../src/message/names.ts'

const MESSAGE: Message = {
  id: messageId('m1'),
  from: userId('alice'),
  to: userId('bob'),
  accepted: { atMs: Date.UTC(2026, 5, 1), clock: 'device' },
  expiresAfterS: 60,
  qos: 2,
  payload: Buffer.from('hello'),
  properties: {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'a/b',
    correlationData: Buffer.from([0, 255]),
    userProperties: [
      ['a', 'b'],
      ['a', 'c'],
    ],
  },
}
const { properties: _, ...BARE } = MESSAGE

const ENTRIES: readonly Entry[] = [
  { kind: 'message', hlc: 2 ** 51, message: MESSAGE },
  { kind: 'message', hlc: 1, message: { ...BARE, qos: 1, payload: Buffer.alloc(0) } },
  { kind: 'message', hlc: 1, message: { ...BARE, accepted: { atMs: -1.5, clock: 'none' } } },
  { kind: 'state', hlc: 1, record: { kind: 'user', key: 'bob', value: { a: [1, null, 'x'] } } },
  { kind: 'state', hlc: 0, record: { kind: 'user', key: '', value: null } },
]

t.test('what is encoded is decoded, and encoded again the same', async (t) => {
  for (const entry of ENTRIES) {
    const bytes = encodeEntry(entry)
    t.strictSame(plain(decodeEntry(bytes)), plain(entry))
    t.ok(Buffer.from(encodeEntry(decodeEntry(bytes))).equals(bytes))
  }
})

/** Buffers and plain arrays of bytes alike. */
function plain(entry: Entry): unknown {
  return JSON.parse(
    JSON.stringify(entry, (_key, value) =>
      value?.type === 'Buffer' || value instanceof Uint8Array
        ? Buffer.from(value.data ?? value).toString('hex')
        : value,
    ),
  )
}

t.test('a message is written byte for byte as the codec would', async (t) => {
  const whole = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.nat(70_000))
  const name = fc.stringMatching(/^[a-z0-9]{1,64}$/)
  const messages = fc.record({
    id: name.map(messageId),
    from: name.map(userId),
    to: name.map(userId),
    accepted: fc.record({ atMs: whole, clock: fc.constantFrom('none', 'gps') }),
    expiresAfterS: whole,
    qos: fc.constantFrom(1, 2),
    payload: fc.uint8Array({ maxLength: 300 }),
    properties: fc.option(fc.constant(MESSAGE.properties ?? {}), { nil: undefined }),
  })
  fc.assert(
    fc.property(whole, messages, (hlc, { properties, ...rest }) => {
      const message = { ...rest, ...(properties === undefined ? {} : { properties }) } as Message
      const bytes = encodeEntry({ kind: 'message', hlc, message })
      return Buffer.from(encode(decode(bytes))).equals(bytes)
    }),
  )
  t.pass()
})

t.test('every kind of clock comes back', async (t) => {
  for (const clock of ['none', 'device', 'peer', 'ntp', 'gps'] as const) {
    const message = { ...MESSAGE, accepted: { atMs: 1, clock } }
    const entry = decodeEntry(encodeEntry({ kind: 'message', hlc: 1, message }))
    t.match(entry, { message: { accepted: { clock } } })
  }
})

t.test('the kind is known without decoding', async (t) => {
  for (const entry of ENTRIES) t.equal(isStateEntry(encodeEntry(entry)), entry.kind === 'state')
})

t.test('every truncation is BAD_ENTRY, and nothing else', async (t) => {
  for (const entry of ENTRIES) {
    const bytes = encodeEntry(entry)
    for (let end = 0; end < bytes.length; end += 1) {
      t.throws(() => decodeEntry(bytes.subarray(0, end)), { code: 'BAD_ENTRY' })
    }
  }
})

t.test('any bytes are an entry or BAD_ENTRY', async (t) => {
  const isFine = (bytes: Uint8Array) => {
    try {
      decodeEntry(bytes)
      return true
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'BAD_ENTRY'
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isFine))
  const changed = fc.tuple(fc.nat(ENTRIES.length - 1), fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(changed, ([which, at, value]) => {
      const bytes = Uint8Array.from(encodeEntry(ENTRIES[which] as Entry))
      bytes[at % bytes.length] = value
      return isFine(bytes)
    }),
  )
  t.pass()
})

t.test('names and numbers are checked', async (t) => {
  const fields = [1, 1, 'm', 'alice', 'bob', 0, 0, 60, 1, Buffer.from(''), null]
  t.equal(decodeEntry(encode(fields)).kind, 'message')
  const bad: [at: number, value: unknown][] = [
    [0, 9],
    [1, -1],
    [1, 1.5],
    [2, 'no spaces'],
    [3, 'Alice'],
    [4, ''],
    [6, 5],
    [7, -1],
    [8, 0],
    [8, 3],
    [9, 'text'],
    [10, { unknown: 1 }],
    [10, { userProperties: [['a']] }],
  ]
  for (const [at, value] of bad) {
    const changed = fields.with(at, value as never)
    t.throws(() => decodeEntry(encode(changed)), { code: 'BAD_ENTRY' }, `field ${at}`)
  }
})
