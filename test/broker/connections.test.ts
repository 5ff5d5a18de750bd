import t from 'tap'
import type { Connection } from '../../src/broker/connection.ts'
import { Connections } from '../../src/broker/connections.ts'
import { alice, bob } from '../delivery/rig.ts'

type Given = { identity?: object; clean?: boolean; id?: string }

function connection({ identity, clean = false, id = 'x' }: Given) {
  const reasons: number[] = []
  return {
    reasons,
    identity,
    client: { clean },
    assignedId: id,
    connect: { clientId: id },
    disconnect: (reason: number) => reasons.push(reason),
  } as unknown as Connection & { reasons: number[] }
}

t.test('clients are those who are signed in; some have a session that stays', async (t) => {
  const connections = new Connections()
  const gone = connection({})
  connections.add(connection({}))
  for (const one of [connection({}), connection({ clean: true }), gone]) {
    connections.add(one)
    connections.signedIn(one)
  }
  connections.delete(gone)
  t.match(connections, { size: 3, clients: 2, kept: 1 })
})

t.test('a user, a device or a thing is sent away, and nobody else', async (t) => {
  const connections = new Connections()
  const phone = connection({ identity: { kind: 'user', user: alice }, id: 'phone' })
  const pad = connection({ identity: { kind: 'user', user: alice }, id: 'pad' })
  const other = connection({ identity: { kind: 'user', user: bob }, id: 'phone' })
  const mast = connection({ identity: { kind: 'thing', thing: 'mast' } })
  const stranger = connection({})
  const all = [phone, pad, other, mast, stranger]
  for (const one of all) connections.add(one)
  const told = () => all.map(({ reasons }) => reasons.length)
  connections.disconnectUser(alice, 'phone')
  t.same(told(), [1, 0, 0, 0, 0])
  connections.disconnectUser(alice)
  t.same(told(), [2, 1, 0, 0, 0])
  connections.disconnectThing('mast')
  t.same(told(), [2, 1, 0, 1, 0])
  connections.disconnectAll(0x8b)
  t.same(told(), [3, 2, 1, 2, 1])
  t.same(stranger.reasons, [0x8b])
})
