import t from 'tap'
import { Acknowledgements } from '../../src/broker/acknowledgements.ts'
import { LIMITS } from '../../src/limits.ts'

function acknowledgements() {
  const sent: string[] = []
  const acks = new Acknowledgements((packet) => {
    sent.push(packet.toString())
  })
  return { acks, sent }
}

const packet = (text: string) => Buffer.from(text)

t.test('each waits for those before it', async (t) => {
  const { acks, sent } = acknowledgements()
  const [one, two, three] = [acks.expect(1), acks.expect(2), acks.expect(3)]
  acks.decide(three, packet('3'))
  acks.decide(two, packet('2'))
  t.same(sent, [])
  acks.decide(one, packet('1'))
  t.same(sent, ['1', '2', '3'])
})

t.test('an identifier that is used twice at once has two places', async (t) => {
  const { acks, sent } = acknowledgements()
  const first = acks.expect(1)
  const second = acks.expect(1)
  acks.decide(second, packet('second'))
  acks.decide(first, packet('first'))
  t.same(sent, ['first', 'second'])
})

t.test('it is full at the bound', async (t) => {
  const { acks } = acknowledgements()
  const first = acks.expect(1)
  for (let id = 2; id < LIMITS.receiveMax; id += 1) acks.expect(id)
  t.notOk(acks.isFull)
  acks.expect(LIMITS.receiveMax)
  t.ok(acks.isFull)
  acks.decide(first, packet('1'))
  t.notOk(acks.isFull)
})
