import t from 'tap'
import { PERSISTENT_4 } from '../support/client.ts'
import { signIn } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const PUBLISH = 3
const DUP = 0x08
const FILTERS = ['users/bob/inbox/#', 'things/lamp/#']

for (const qos of [1, 2] as const) {
  t.test(`QoS ${qos}: DUP is 0 at first and 1 when it comes again [MQTT-3.3.1-1]`, async (t) => {
    const relay = await startRelay(t)
    const { alice, bob } = await relay.addUsers('alice', 'bob')
    const lampPassword = await relay.addThing('lamp')
    const user = { name: 'bob', password: bob }
    const phone = { clientId: 'phone', clean: PERSISTENT_4.clean }
    const publish = { cmd: 'publish', payload: 'x', qos, messageId: 1, dup: false } as const
    const [sender, lamp] = [
      await signIn(t, relay, { name: 'alice', password: alice }),
      await signIn(t, relay, { name: 'thing:lamp', password: lampPassword }),
    ]

    const first = await signIn(t, relay, user, phone)
    const subscriptions = FILTERS.map((topic) => ({ topic, qos }))
    first.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    await first.next(9)
    sender.send({ ...publish, topic: 'users/bob/inbox/alice/m1', retain: false })
    t.equal(((await first.next(PUBLISH))[0] ?? 0) & DUP, 0)
    lamp.send({ ...publish, topic: 'things/lamp/a', retain: false })
    t.equal(((await first.next(PUBLISH))[0] ?? 0) & DUP, 0)
    first.socket.destroy()

    const second = await signIn(t, relay, user, phone)
    for (let count = 0; count < FILTERS.length; count += 1) {
      t.equal(((await second.next(PUBLISH))[0] ?? 0) & DUP, DUP)
    }
  })
}
