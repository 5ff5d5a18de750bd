import t from 'tap'
import { PacketIds } from '../../src/broker/packet-ids.ts'

t.test('every identifier is in once, and out once', async (t) => {
  const ids = new PacketIds()
  t.notOk(ids.delete(7), 'an empty set has none')
  const all = Array.from({ length: 65_535 }, (_, at) => at + 1)
  for (const id of all) ids.add(id)
  ids.add(7)
  t.ok(all.every((id) => ids.delete(id)))
  t.notOk(all.some((id) => ids.delete(id)))
})

t.test('neighbours in a byte do not touch one another', async (t) => {
  const ids = new PacketIds()
  ids.add(8)
  ids.add(10)
  t.notOk(ids.delete(9))
  t.ok(ids.delete(8))
  t.ok(ids.delete(10))
})
