import t from 'tap'
import { Lobby, type Stranger } from '../../src/broker/lobby.ts'
import { LIMITS } from '../../src/limits.ts'

const MAX = LIMITS.strangersPerAddressMax

class Caller implements Stranger {
  readonly address: string
  isAway = false

  constructor(address: string) {
    this.address = address
  }

  disconnect(): void {
    this.isAway = true
  }
}

function strangers(address: string, count: number): Caller[] {
  return Array.from({ length: count }, () => new Caller(address))
}

t.test('at the bound all stay; one past it, who has waited longest goes', async (t) => {
  const lobby = new Lobby()
  const [first, second, ...more] = strangers('a', MAX + 1)
  for (const one of [first, second, ...more.slice(0, -1)]) if (one) lobby.enter(one)
  t.notOk(first?.isAway)
  const last = more.at(-1)
  if (last) lobby.enter(last)
  t.ok(first?.isAway)
  t.notOk(second?.isAway)
  t.notOk(last?.isAway)
})

t.test('other addresses are not concerned, nor are those who have left', async (t) => {
  const lobby = new Lobby()
  const [one, ...crowd] = strangers('a', MAX + 1)
  const [other] = strangers('b', 1)
  if (other) lobby.enter(other)
  if (one) lobby.enter(one)
  if (one) lobby.leave(one)
  for (const each of crowd) lobby.enter(each)
  t.notOk(one?.isAway)
  t.notOk(other?.isAway)
  t.same(
    crowd.filter(({ isAway }) => isAway),
    [],
  )
})

t.test('an address of which nobody is here is forgotten', async (t) => {
  const lobby = new Lobby()
  const crowd = strangers('a', 3)
  for (const each of crowd) lobby.enter(each)
  t.equal(lobby.addresses, 1)
  for (const each of crowd) lobby.leave(each)
  t.equal(lobby.addresses, 0)
})
