/** Ordinary topics, sessions of the moment: readers that are stuck keep nobody waiting. */
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { harmNobody } from './bad-readers.ts'
import { startFloodRelay } from './rig.ts'

t.test(
  'bad readers of an ordinary topic, with sessions that end with their connections',
  async (t) => {
    const relay = await startFloodRelay(t)
    await harmNobody(t, relay, {
      sender: await relay.addThing('lamp'),
      reader: await relay.addUser('bob'),
      topicPrefix: 'things/lamp/',
      filter: 'things/lamp/#',
      letsGo: true,
      waitingMax: LIMITS.offlineQueueMessagesMax,
      isKept: false,
    })
  },
)
