import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import t from 'tap'
import { readLine } from '../../src/control/line.ts'

function pair() {
  const [near, far] = duplexPair()
  return { near: near as unknown as Socket, far }
}

t.test('a line is put together from however many pieces', async (t) => {
  for (const pieces of [['ab\n'], ['a', 'b', '\n'], ['', 'ab\nrest'], ['ab', '\n\n']]) {
    const { near, far } = pair()
    for (const piece of pieces) far.write(piece)
    t.equal(await readLine(near, 10), 'ab', JSON.stringify(pieces))
  }
})

t.test('characters may be split between pieces', async (t) => {
  const { near, far } = pair()
  const bytes = Buffer.from('ü\n')
  far.write(bytes.subarray(0, 1))
  far.write(bytes.subarray(1))
  t.equal(await readLine(near, 10), 'ü')
})

t.test(
  'a line of the greatest length is read, a longer one refused, with an end or without',
  async (t) => {
    const fits = pair()
    fits.far.write('12345\n')
    t.equal(await readLine(fits.near, 5), '12345')
    for (const text of ['123456\n', '123456']) {
      const { near, far } = pair()
      far.write(text)
      await t.rejects(readLine(near, 5), { code: 'BAD_REQUEST' })
    }
  },
)

t.test('who goes before the end of the line said nothing', async (t) => {
  const ended = pair()
  ended.far.end('abc')
  t.equal(await readLine(ended.near, 10), undefined)
  const closed = pair()
  closed.near.destroy()
  t.equal(await readLine(closed.near, 10), undefined)
  t.equal(await readLine(closed.near, 10), undefined, 'long ago')
})

t.test('what is no UTF-8 is refused', async (t) => {
  const { near, far } = pair()
  far.write(Buffer.from([0xff, 0x0a]))
  await t.rejects(readLine(near, 10), { code: 'BAD_REQUEST' })
})
