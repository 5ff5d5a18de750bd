import t from 'tap'
import {
  decodeSubscription,
  encodeSubscription,
  grantOf,
} from '../../../src/broker/ordinary/subscription.ts'
import { subscription } from './rig.ts'

t.test('a subscription comes back as it was stored', async (t) => {
  for (const one of [
    subscription('a/#'),
    subscription('+', { group: 'g', qos: 2, isNoLocal: true, isAsPublished: true, identifier: 9 }),
  ]) {
    t.same(decodeSubscription(encodeSubscription(one)), one)
  }
})

t.test(
  'several grant together: highest QoS, all identifiers, RETAIN where one wants',
  async (t) => {
    t.equal(grantOf([]), undefined)
    t.same(grantOf([subscription('a')]), { qos: 1, isAsPublished: false, identifiers: [] })
    const several = [
      subscription('a/#', { identifier: 1 }),
      subscription('a/+', { qos: 2 }),
      subscription('a/b', { qos: 0, identifier: 7, isAsPublished: true }),
      subscription('#', { identifier: 1 }),
    ]
    t.same(grantOf(several), { qos: 2, isAsPublished: true, identifiers: [1, 7] })
  },
)
