import t from 'tap'
import { connect, PERSISTENT_5 } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const ROUNDS = 4
const COUNT = 50

t.test(
  'messages of one sender arrive in the order accepted, whatever happens between',
  async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const me = { name: 'bob', password: bob }
    const phone = { ...PERSISTENT_5, clientId: 'phone' }
    const first = await connect(t, relay, me, phone)
    await first.subscribe('users/bob/inbox/#')
    await first.end()
    const texts: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const sender = await connect(t, relay, { name: 'alice', password: alice })
      const wave = Array.from({ length: COUNT }, (_, at) => `r${round}-${at}`)
      texts.push(...wave)
      await Promise.all(wave.map((text) => sender.publish(`users/bob/inbox/alice/${text}`, text)))
      await relay.restart()
    }
    const seen: string[] = []
    while (!seen.includes(texts.at(-1) ?? '')) {
      const device = await connect(t, relay, me, phone)
      await device.received(1)
      // Gone in the middle of what is on its way; what it had not acknowledged comes again.
      await device.drop()
      seen.push(...device.texts)
    }
    t.same([...new Set(seen)], texts)
  },
)
