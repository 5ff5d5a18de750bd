import t from 'tap'
import type { MessageRow } from '../../src/delivery/inquiry.ts'
import { messageId, userId } from '../../src/message/names.ts'
import { traceOf } from '../control/rig.ts'
import { rig } from './rig.ts'

const ROW: MessageRow = {
  id: messageId('m1'),
  from: userId('alice'),
  to: userId('bob'),
  status: 'stored',
  acceptedAt: '2026-11-24T00:00:00.000Z',
  bytes: 5,
}

t.test('messages are a table, or the rows of the contract', async (t) => {
  const { type, told, json, rows } = rig()
  await type('message list')
  t.equal(told.out, 'no messages\n')
  rows.push(ROW)
  await type('message list')
  t.match(told.out, /^ID .*\nm1 +alice +bob +stored +2026-11-24 00:00:00Z +5 B\n$/)
  await type('message list --json')
  t.same(json(), [ROW])
})

t.test('every filter is passed on', async (t) => {
  const { type, happened } = rig()
  const cases: [string, object][] = [
    ['', { limit: 100 }],
    ['--limit 1000', { limit: 1000 }],
    ['--user bob --id m1', { limit: 100, user: 'bob', id: 'm1' }],
    ['--status queued', { limit: 100, status: 'queued' }],
    ['--since 2h', { limit: 100, sinceMs: Date.UTC(2026, 10, 23, 22) }],
    ['--until 2026-11-24', { limit: 100, untilMs: Date.UTC(2026, 10, 24) }],
  ]
  for (const [flags, filter] of cases) {
    t.equal(await type(`message list ${flags}`), 0)
    t.same(JSON.parse(happened.at(-1)?.slice('list '.length) ?? ''), filter, flags)
  }
})

t.test('a filter that means nothing is a usage error', async (t) => {
  const { type } = rig()
  for (const flags of ['--limit 0', '--limit 1001', '--limit x', '--status lost', '--since x']) {
    t.equal(await type(`message list ${flags}`), 2, flags)
  }
})

t.test('a trace is a story, or the JSON of the contract', async (t) => {
  const { type, told, json, traces } = rig()
  const first = traceOf('m1', 'bob')
  traces.push({
    ...first,
    events: [
      ...first.events,
      {
        at: '2026-11-24T00:00:09.000Z',
        clock: 'none',
        relay: 'depot',
        what: 'expired',
        device: 'phone',
        reason: 'its time is over',
      },
    ],
  })
  t.equal(await type('message trace m1'), 0)
  t.equal(
    told.out,
    [
      'message m1 from alice to bob, 5 B: stored',
      '  2026-11-24 00:00:00Z  clock ntp   depot  accepted',
      '  2026-11-24 00:00:09Z  clock none  depot  expired to device phone because its time is over',
      'next: depot holds it',
      '',
    ].join('\n'),
  )
  await type('message trace m1 --json')
  t.match(json(), { id: 'm1', status: 'stored', events: [{ what: 'accepted', clock: 'ntp' }, {}] })
  t.equal(await type('message trace m2'), 1)
})

t.test('messages that share an id are told one after another', async (t) => {
  const { type, told, traces } = rig()
  traces.push(traceOf('m1', 'bob'), traceOf('m1', 'eve'))
  await type('message trace m1')
  t.match(told.out, /to bob[\s\S]*\n\nmessage m1 from alice to eve/)
})

t.test('an id that begins with a dash comes after two dashes', async (t) => {
  const { type, traces } = rig()
  traces.push(traceOf('-x', 'bob'))
  t.equal(await type('message trace -- -x'), 0)
})
