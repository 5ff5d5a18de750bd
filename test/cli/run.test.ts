import t from 'tap'
import { rig } from './rig.ts'

const FIRST = { id: 'admin', password: 'once-only' }

/** Lets everything that can go on go on. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
}

type Rig = ReturnType<typeof rig>

/** Types a `run`, and returns once the relay has said something. */
async function listening(
  r: Rig,
  line: string | readonly string[],
): Promise<{ end: Promise<number> }> {
  const end = r.type(line)
  while (r.told.out === '') await new Promise(setImmediate)
  return { end }
}

t.test('a relay says where it listens, and ends with 0 when it is asked to', async (t) => {
  const r = rig()
  const { end } = await listening(r, 'run')
  t.match(r.told.out, /listening/)
  for (const url of ['mqtt://0.0.0.0:1884', 'ws://[::]:8081/mqtt', 'http://[::]:8081']) {
    t.ok(r.told.out.includes(url), url)
  }
  t.notMatch(r.told.out, /password/)
  t.same(r.relays[0]?.happened, ['start'])
  r.askToStop()
  t.equal(await end, 0)
  t.same(r.relays[0]?.happened, ['start', 'stop'])
  t.notOk(r.isStoppable(), 'signals are the process’s own again')
})

t.test('the very first start brings the password of the admin and the next commands', async (t) => {
  const r = rig({ relay: { firstAdmin: FIRST }, program: 'npm run --silent waypost --' })
  const { end } = await listening(r, 'run')
  t.match(r.told.out, /admin.*once-only/)
  t.match(r.told.out, /\n {2}npm run --silent waypost -- user add alice\n/)
  r.askToStop()
  await end
})

t.test('the next commands reach this relay, wherever its data is', async (t) => {
  const r = rig({ relay: { firstAdmin: FIRST } })
  const { end } = await listening(r, ['run', '--data-dir', "/tmp/bob's data"])
  t.ok(r.told.out.includes(`waypost status --data-dir '/tmp/bob'\\''s data'\n`))
  r.askToStop()
  await end
})

t.test('programs read the same as JSON', async (t) => {
  const r = rig({ relay: { firstAdmin: FIRST } })
  const { end } = await listening(r, 'run --json')
  t.same(r.json(), {
    listening: {
      mqtt: 'mqtt://0.0.0.0:1884',
      websocket: 'ws://[::]:8081/mqtt',
      http: 'http://[::]:8081',
    },
    firstAdmin: FIRST,
  })
  r.askToStop()
  await end
})

t.test('keys are flags, and the log goes to stderr as they say', async (t) => {
  const r = rig({ env: { JOURNAL_STREAM: '8:1' } })
  const { end } = await listening(r, 'run --mqtt-port 0 --mesh-enabled false --log-level warn')
  const [relay] = r.relays
  t.match(relay?.config, { mqtt: { port: 0 }, mesh: { isEnabled: false } })
  relay?.log.info({}, 'not shown')
  relay?.log.warn({ who: 'bob' }, 'shown')
  t.equal(r.told.err, '<4>shown who=bob\n')
  r.askToStop()
  await end
})

t.test('a stop that hangs is cut off in time, also during the start', async (t) => {
  const never = new Promise<void>(() => undefined)
  for (const relay of [{ whenStopped: never }, { whenStarted: never }]) {
    const r = rig({ relay })
    const end = r.type('run')
    while (!r.relays[0]?.happened.includes('start')) await settle()
    r.askToStop()
    await settle()
    r.tick()
    t.equal(await end, 0)
    t.match(r.told.err, /stopped before all was closed/)
  }
})

t.test('a relay that is asked to stop while it starts stops once it has', async (t) => {
  const gate = Promise.withResolvers<void>()
  const r = rig({ relay: { whenStarted: gate.promise } })
  const end = r.type('run')
  while (!r.relays[0]?.happened.includes('start')) await settle()
  r.askToStop()
  gate.resolve()
  t.equal(await end, 0)
  t.same(r.relays[0]?.happened, ['start', 'stop'])
})

t.test('a port that is taken is one line and exit code 1', async (t) => {
  const taken = Object.assign(new Error('listen EADDRINUSE'), { syscall: 'listen' })
  const r = rig({ relay: { start: () => Promise.reject(taken) } })
  t.equal(await r.type('run'), 1)
  t.match(r.told.err, /^waypost: listen EADDRINUSE\n$/)
  t.notOk(r.isStoppable())
})
