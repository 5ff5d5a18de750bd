/** Ordinary topics, sessions that are kept: readers that are stuck keep nobody waiting, and find the newest later. */
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { harmNobody } from './bad-readers.ts'
import { startFloodRelay } from './rig.ts'

t.test('bad readers of an ordinary topic, with sessions that are kept', async (t) => {
  const relay = await startFloodRelay(t)
  await harmNobody(t, relay, {
    sender: await relay.addThing('lamp'),
    reader: await relay.addUser('bob'),
    topicPrefix: 'things/lamp/',
    filter: 'things/lamp/#',
    letsGo: false,
    waitingMax: LIMITS.offlineQueueMessagesMax,
    isKept: true,
  })
})
