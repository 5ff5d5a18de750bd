import t from 'tap'
import { Flow, Traffic } from '../../src/broker/traffic.ts'

t.test('packets are counted, and publishes among them with their bytes', async (t) => {
  const flow = new Flow()
  flow.packet(Buffer.from([0xc0, 0]))
  flow.packet(Buffer.from([0x30, 3, 0, 1, 97]))
  t.match(flow, { packets: 2, publishes: 1, publishBytes: 5, bytes: 0 })
})

t.test('the most clients at once are remembered', async (t) => {
  const traffic = new Traffic()
  for (const clients of [1, 2, 1]) traffic.connected(clients)
  t.match(traffic, { connects: 3, clientsMax: 2 })
})
