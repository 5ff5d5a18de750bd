import t from 'tap'
import { Round } from '../../../src/broker/ordinary/round.ts'
import type { SessionOwner } from '../../../src/broker/ordinary/session.ts'
import { message } from './rig.ts'

const PLAIN = { qos: 1, isAsPublished: false, identifiers: [] } as const

t.test('a message has one number, and another for each further copy', async (t) => {
  let last = 6
  const owner = {
    nextNumber: () => {
      last += 1
      return last
    },
  } as unknown as SessionOwner
  const round = new Round(message('a', 'x'), 0)
  t.same([round.number(owner), round.number(owner)], [7, 7])
  round.renumber()
  t.same([round.number(owner), round.number(owner)], [8, 8])
})

t.test('RETAIN stays where it was published so, and is wanted', async (t) => {
  for (const isRetained of [true, false]) {
    const round = new Round(message('a', 'x', { isRetained }), 0)
    t.equal(round.delivery(1, { ...PLAIN, isAsPublished: true }).isRetained, isRetained)
    t.equal(round.delivery(1, PLAIN).isRetained, false)
  }
})

t.test('what is the same for many is one object', async (t) => {
  const round = new Round(message('a', 'x', { isRetained: true, deadlineMs: 5_000 }), 1_000)
  const first = round.outgoing(PLAIN)
  t.match(first, { qos: 0, packetId: 0, isRetained: false, expiresInS: 4 })
  t.equal(round.outgoing(PLAIN), first)
  const asPublished = round.outgoing({ ...PLAIN, isAsPublished: true })
  t.equal(asPublished.isRetained, true)
  t.equal(round.outgoing({ ...PLAIN, isAsPublished: true }), asPublished)
  const own = round.outgoing({ ...PLAIN, identifiers: [5] })
  t.same(own.identifiers, [5])
  t.not(round.outgoing({ ...PLAIN, identifiers: [5] }), own)
})
