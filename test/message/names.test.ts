import t from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import { deviceId, messageId, relayId, shown, thingId, userId } from '../../src/message/names.ts'

const BAD_NAME: { code: ErrorCode } = { code: 'BAD_NAME' }

t.test('users and things have the same letters', async (t) => {
  for (const name of ['a', 'alice', '0', 'bob.smith-2_x', 'constructor', 'a'.repeat(64)]) {
    t.equal(userId(name), name)
    t.equal(thingId(name), name)
  }
  const bad = [
    '',
    'a'.repeat(65),
    'Alice',
    '.a',
    '-a',
    '_a',
    '__proto__',
    'a b',
    'a/b',
    'a:b',
    'a+',
    '#',
    'a%2f',
    'a\\b',
    'a;b',
    'a\n',
    'a\0',
    'аlice', // Cyrillic а
    'jose\u0301',
    'josé',
    'ſ',
    '\ufeffalice',
  ]
  for (const name of bad) {
    t.throws(() => userId(name), BAD_NAME, `user ${shown(name)} is refused`)
    t.throws(() => thingId(name), BAD_NAME, `thing ${shown(name)} is refused`)
  }
})

t.test('a message id has URL-safe letters', async (t) => {
  for (const id of [
    '_',
    '-',
    '__proto__',
    '0190a6c2-7d3e-7abc-8def-0123456789ab',
    'Z'.repeat(64),
  ]) {
    t.equal(messageId(id), id)
  }
  for (const id of ['', 'Z'.repeat(65), 'a b', 'a.b', 'a/b', 'a\n', 'é']) {
    t.throws(() => messageId(id), BAD_NAME)
  }
})

t.test('a relay id has 8 to 64 lower-case letters and digits', async (t) => {
  t.equal(relayId('abcd1234'), 'abcd1234')
  t.equal(relayId('a'.repeat(64)), 'a'.repeat(64))
  for (const id of ['abcd123', 'a'.repeat(65), 'ABCD1234', 'abcd-1234', 'abcd1234\n']) {
    t.throws(() => relayId(id), BAD_NAME)
  }
})

t.test('a device id is any printable client id up to 128 bytes', async (t) => {
  const good = ['x', '__proto__', '#', '+', 'a/b', 'é', '📱', ' ', 'a'.repeat(128), 'é'.repeat(64)]
  for (const id of good) t.equal(deviceId(id), id)
  const bad = [
    '',
    'a'.repeat(129),
    'é'.repeat(65),
    'a\nb',
    'a\0b',
    '\u001b[31m',
    'a\u009b',
    '\u007f',
  ]
  for (const id of bad) t.throws(() => deviceId(id), BAD_NAME)
})

t.test('half a surrogate pair is no device id, as two would be stored as one', async (t) => {
  t.throws(() => deviceId('a\ud800'), BAD_NAME)
  t.throws(() => deviceId('\udc00'), BAD_NAME)
})

t.test('a name is shown on one line, cut, without anything that a terminal acts on', async (t) => {
  t.equal(shown('bob'), '"bob"')
  t.equal(shown('a"b\\c'), '"a\\"b\\\\c"')
  t.match(shown('x'.repeat(1_000)), /^"x{80}…"$/)
  const shownText = shown('\n\r\u001b[2J\u007f\u009b\u2028\u202e\ufeff\ud800')
  t.match(shownText, /^"[\x20-\x7e]*"$/)
  t.equal(JSON.parse(shownText), '\n\r\u001b[2J\u007f\u009b\u2028\u202e\ufeff\ud800')
})
