import t from 'tap'
import { SystemTopics } from '../../src/broker/system-topics.ts'
import { Traffic } from '../../src/broker/traffic.ts'
import { LIMITS } from '../../src/limits.ts'
import { ManualClock } from '../support/manual-clock.ts'

const STATS = {
  retained: 4,
  retainedRefused: 0,
  sessions: 5,
  subscriptions: 6,
  queued: 7,
  queuedDropped: 8,
  incoming: 0,
  wills: 0,
}

class Rig {
  readonly clock = new ManualClock()
  readonly traffic = new Traffic()
  readonly told: [topic: string, text: string][] = []
  readonly connections = { clients: 3, kept: 2 }
  readonly topics = { stats: STATS }
  readonly mailboxes = { queued: 10, bytes: 2_000 }
  readonly version = '1.2.3'
  readonly system = new SystemTopics({
    ...this,
    publish: (topic, text) => this.told.push([topic, text]),
  })

  get values(): Record<string, string> {
    return Object.fromEntries(this.told)
  }
}

t.test('it shows the state under the names of Mosquitto', async (t) => {
  const rig = new Rig()
  rig.traffic.connected(3)
  rig.system.start()
  t.match(rig.values, {
    '$SYS/broker/version': 'waypost version 1.2.3',
    '$SYS/broker/uptime': '0 seconds',
    '$SYS/broker/clients/connected': '3',
    '$SYS/broker/clients/disconnected': '3',
    '$SYS/broker/clients/total': '6',
    '$SYS/broker/clients/maximum': '3',
    '$SYS/broker/subscriptions/count': '6',
    '$SYS/broker/retained messages/count': '4',
    '$SYS/broker/store/messages/count': '21',
    '$SYS/broker/store/messages/bytes': '2000',
    '$SYS/broker/publish/messages/dropped': '8',
    '$SYS/broker/load/bytes/received/15min': '0.00',
    '$SYS/broker/heap/current': /^\d+$/,
  })
})

t.test('what has changed is told again, and nothing else', async (t) => {
  const rig = new Rig()
  rig.system.start()
  rig.told.length = 0
  rig.clock.advance(LIMITS.systemTopicsMs - 1)
  t.same(rig.told, [])
  rig.traffic.received.bytes = 600
  rig.clock.advance(1)
  t.match(rig.values, {
    '$SYS/broker/bytes/received': '600',
    '$SYS/broker/uptime': '10 seconds',
    '$SYS/broker/load/bytes/received/1min': /^[1-9]/,
  })
  t.notOk('$SYS/broker/version' in rig.values)
  t.notOk('$SYS/broker/bytes/sent' in rig.values)
})

t.test('a stop ends it', async (t) => {
  const rig = new Rig()
  rig.system.start()
  rig.system.stop()
  t.equal(rig.clock.timers, 0)
})
