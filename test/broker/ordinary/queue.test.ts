import t, { type Test } from 'tap'
import { type Delivery, RELEASED } from '../../../src/broker/ordinary/message.ts'
import { bytesOf, Queue } from '../../../src/broker/ordinary/queue.ts'
import { freshStore, message } from './rig.ts'

const delivery = (text: string): Delivery => ({ ...message('a', text), identifiers: [] })

async function queue(t: Test, isKept: boolean) {
  const store = await freshStore(t)
  return { store, queue: new Queue({ store }, { clientId: 'bob', isKept }) }
}

t.test('numbers are found from any place', async (t) => {
  const { queue: q } = await queue(t, true)
  for (const number of [3, 5, 9]) q.push(number, delivery('x'))
  t.same(
    [0, 3, 4, 8, 9].map((number) => q.after(number)),
    [3, 5, 5, 9, undefined],
  )
  t.same(q.from(4, 2), [5, 9])
  t.same(q.from(5, 1), [5])
  t.same([q.size, q.oldest, q.newest], [3, 3, 9])
  q.remove(5)
  q.remove(5)
  q.remove(4)
  t.same(q.from(0, 9), [3, 9])
  q.clear()
  t.same([q.size, q.oldest, q.newest], [0, undefined, 0])
})

t.test('of a kept session all lies in the store', async (t) => {
  const { store, queue: q } = await queue(t, true)
  q.push(1, delivery('one'))
  q.push(2, delivery('two'))
  t.equal(q.heldBytes, 0)
  t.ok(q.release(1))
  t.notOk(q.release(7))
  const again = new Queue({ store }, { clientId: 'bob', isKept: true })
  again.restore(1)
  again.restore(2)
  const [first, second, third] = await again.read([1, 2, 3])
  t.equal(first, RELEASED)
  t.match(second, { payload: new Uint8Array(Buffer.from('two')) })
  t.equal(third, undefined)
  again.clear()
  t.same(await again.read([1, 2]), [undefined, undefined])
})

t.test('of any other it is held until it is sent', async (t) => {
  const { store, queue: q } = await queue(t, false)
  const packet = Buffer.from('one')
  q.push(1, { ...delivery(''), payload: packet })
  q.keep(1)
  q.keep(7)
  packet.fill(0)
  t.equal(Buffer.from(q.held(1)?.payload ?? []).toString(), 'one', 'apart from its packet')
  t.equal(q.heldBytes, bytesOf(delivery('one')))
  q.sent(1)
  q.sent(1)
  t.equal(q.heldBytes, 0)
  t.equal(q.size, 1, 'not acknowledged yet')
  t.notOk(q.release(1), 'nothing is written')
  q.remove(1)
  q.push(2, delivery('two'))
  q.remove(2)
  t.equal(q.heldBytes, 0)
  t.equal(store.get('outgoing/bob/00000000001'), undefined)
})
