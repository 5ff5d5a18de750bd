import t from 'tap'
import {
  filterOf,
  incomingKey,
  outgoingKey,
  ownerOf,
  retainedKey,
  sessionKey,
  willKey,
} from '../../../src/broker/ordinary/keys.ts'
import { lastNumber } from '../../../src/store/keys.ts'

t.test('a key gives back what it was made of, whatever the name', async (t) => {
  for (const name of ['bob', 'a/b//c', '__proto__', '+/#', '%2F', 'ü😀 x', '$SYS/x', '0']) {
    t.equal(ownerOf(retainedKey(name)), name)
    t.equal(ownerOf(willKey(name)), name)
    t.equal(ownerOf(outgoingKey(name, 7)), name)
    t.equal(ownerOf(incomingKey(name, 7)), name)
    t.equal(ownerOf(sessionKey(name, 'x')), name)
    t.equal(filterOf(sessionKey('bob', name)), name)
  }
})

t.test('keys of a queue sort as its numbers do and end with them', async (t) => {
  const numbers = [1, 9, 35, 36, 1_000, 2 ** 40]
  const keys = numbers.map((number) => outgoingKey('bob', number))
  t.same([...keys].sort(), keys)
  t.same(keys.map(lastNumber), numbers)
  t.equal(lastNumber(incomingKey('bob', 65_535)), 65_535)
})
