/** Mail: devices that are stuck keep no other device waiting, and find all of theirs later. */
import t from 'tap'
import { harmNobody } from './bad-readers.ts'
import { startFloodRelay } from './rig.ts'

t.test('bad readers among the devices of a user', async (t) => {
  const relay = await startFloodRelay(t)
  await harmNobody(t, relay, {
    sender: await relay.addUser('alice'),
    reader: await relay.addUser('bob'),
    topicPrefix: 'users/bob/inbox/alice/',
    filter: 'users/bob/inbox/#',
    letsGo: false,
    waitingMax: Number.POSITIVE_INFINITY,
    isKept: true,
  })
})
