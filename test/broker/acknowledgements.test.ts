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
  const [one, two, three] = [1, 2, 3].map((id) => acks.expect(id))
  three?.(packet('3'))
  two?.(packet('2'))
  t.same(sent, [])
  one?.(packet('1'))
  t.same(sent, ['1', '2', '3'])
})

t.test('what aedes has written is held until it is published', async (t) => {
  const { acks, sent } = acknowledgements()
  acks.expect(1)
  t.ok(acks.hold(1, packet('1'), false))
  t.same(sent, [])
  acks.published(1)
  t.same(sent, ['1'])
  t.notOk(acks.hold(1, packet('again'), false), 'nobody waits for it any more')
})

t.test('it may be published before it is written', async (t) => {
  const { acks, sent } = acknowledgements()
  acks.expect(1)
  acks.published(1)
  t.same(sent, [])
  acks.hold(1, packet('1'), false)
  t.same(sent, ['1'])
})

t.test('a failure, or what is stored already, waits for nothing', async (t) => {
  const { acks, sent } = acknowledgements()
  acks.expect(1)
  acks.hold(1, packet('1'), true)
  t.same(sent, ['1'])
})

t.test('an identifier that is used twice at once has two places', async (t) => {
  const { acks, sent } = acknowledgements()
  const first = acks.expect(1)
  const second = acks.expect(1)
  second(packet('second'))
  first(packet('first'))
  t.same(sent, ['first', 'second'])
})

t.test('it is full at the bound', async (t) => {
  const { acks } = acknowledgements()
  const places = Array.from({ length: LIMITS.receiveMax - 1 }, (_, at) => acks.expect(at + 1))
  t.notOk(acks.isFull)
  acks.expect(LIMITS.receiveMax)
  t.ok(acks.isFull)
  places[0]?.(packet('1'))
  t.notOk(acks.isFull)
})

t.test('of what nobody expects, nothing is made', async (t) => {
  const { acks, sent } = acknowledgements()
  acks.published(9)
  t.notOk(acks.hold(9, packet('9'), true))
  t.same(sent, [])
})
