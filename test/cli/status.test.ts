import t from 'tap'
import { Operations } from '../../src/control/operations.ts'
import type { Condition } from '../../src/control/parts.ts'
import { ControlServer } from '../../src/control/server.ts'
import { notedLog, operationParts, stillClock } from '../control/rig.ts'
import { rig } from './rig.ts'

/** A data directory on which a relay in this condition listens. */
async function relayIn(dataDir: string, condition: Partial<Condition> = {}) {
  const { parts } = operationParts()
  const usual = await parts.condition()
  const operations = new Operations({
    ...parts,
    condition: async () => ({ ...usual, ...condition }),
  })
  const server = new ControlServer(
    { operations, log: notedLog().log, clock: stillClock().clock },
    { dataDir },
  )
  await server.start()
  return server
}

t.test('status is one screen', async (t) => {
  const dataDir = t.testdir()
  const server = await relayIn(dataDir)
  const { type, told, json } = rig()
  t.equal(await type(['status', '--data-dir', dataDir]), 0)
  t.equal(
    told.out,
    [
      'relay     depot, Waypost 0.1.0, up 5 s',
      'clients   2 connected',
      'messages  4 accepted = 2 delivered + 1 queued + 1 expired; 3 refused',
      'disk      10 B of 100 B used',
      'links     none',
      'no problems',
      '',
    ].join('\n'),
  )
  await type(['status', '--json', '--data-dir', dataDir])
  t.match(json(), {
    relay: 'depot',
    uptimeMs: 5_000,
    messages: { accepted: 4 },
    disk: { usedBytes: 10, maxBytes: 100 },
    links: [],
    problems: [],
  })
  await server.stop()
})

t.test('however much there is to tell, 24 lines are enough and problems come last', async (t) => {
  const dataDir = t.testdir()
  const server = await relayIn(dataDir, {
    links: Array.from({ length: 50 }, (_, at) => ({ relay: `r${at}`, isUp: at % 2 === 0 })),
    problems: Array.from({ length: 50 }, (_, at) => ({ what: `p${at}`, mend: 'wait' })),
  })
  const { type, told } = rig()
  await type(['status', '--data-dir', dataDir])
  const lines = told.out.trimEnd().split('\n')
  t.ok(lines.length <= 24, `${lines.length} lines`)
  t.match(told.out, /r0 {2}up\n[\s\S]*and 44 more\nproblems: 50\n {2}p0\n[\s\S]*and 45 more\n$/)
  await server.stop()
})

t.test('without a running relay there is no status', async (t) => {
  const { type, told } = rig()
  t.equal(await type('status --json'), 69)
  t.equal(told.out, '')
  t.equal(told.opened, 0)
})
