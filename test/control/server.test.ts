import { spawnSync } from 'node:child_process'
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import { readLine } from '../../src/control/line.ts'
import { ControlServer } from '../../src/control/server.ts'
import { RelayError } from '../../src/errors.ts'
import { LIMITS } from '../../src/limits.ts'
import { notedLog, stillClock } from './rig.ts'

type PerformAny = (name: string, input: unknown) => Promise<unknown>

const echo: PerformAny = async (name, input) => ({ name, input })

function rig(t: Test, given: { dataDir?: string; perform?: PerformAny } = {}) {
  const dataDir = given.dataDir ?? t.testdir()
  const { clock, tick, timers } = stillClock()
  const { log, lines } = notedLog()
  const operations = { perform: given.perform ?? echo }
  const server = new ControlServer({ operations, log, clock }, { dataDir })
  t.teardown(() => server.stop())
  const ask = async (op: string, input: unknown) =>
    askRelay(await reachRelay(dataDir), { op, input }, clock)
  return { server, dataDir, path: join(dataDir, 'control.sock'), ask, tick, timers, lines }
}

/** Sends these bytes as they are and returns what is answered. */
async function answerTo(dataDir: string, bytes: string | Uint8Array): Promise<unknown> {
  const socket = await reachRelay(dataDir)
  socket.on('error', () => undefined)
  socket.write(bytes)
  const line = await readLine(socket, LIMITS.controlAnswerBytesMax)
  socket.destroy()
  return line === undefined ? undefined : JSON.parse(line)
}

t.test('an operation is asked and answered', async (t) => {
  const { server, ask } = rig(t)
  await server.start()
  t.same(await ask('user.show', { id: 'bob' }), { name: 'user.show', input: { id: 'bob' } })
})

t.test('only the owner may open the socket', async (t) => {
  const before = process.umask()
  const { server, path } = rig(t)
  await server.start()
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.equal(process.umask(), before)
})

t.test('starting and stopping twice is as once, and the socket goes', async (t) => {
  const { server, path, ask } = rig(t)
  await server.start()
  await server.start()
  t.ok(await ask('status', {}))
  await server.stop()
  await server.stop()
  await t.rejects(stat(path), { code: 'ENOENT' })
  await t.rejects(ask('status', {}), { code: 'RELAY_UNREACHABLE' })
  await server.start()
  t.ok(await ask('status', {}))
})

t.test('a directory with a very long name works as any other', async (t) => {
  const dataDir = join(t.testdir(), 'd'.repeat(200), 'e'.repeat(200))
  await mkdir(dataDir, { recursive: true })
  const { server, path, ask } = rig(t, { dataDir })
  await server.start()
  t.ok((await stat(path)).isSocket())
  t.ok(await ask('status', {}))
  await server.stop()
  await t.rejects(stat(path), { code: 'ENOENT' })
})

t.test('the socket of a killed relay is replaced', async (t) => {
  const { server, dataDir, path, ask } = rig(t)
  const program = `require('node:net').createServer().listen('control.sock', () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', program], { cwd: dataDir })
  t.ok((await stat(path)).isSocket(), 'it was left behind')
  await server.start()
  t.ok(await ask('status', {}))
})

t.test('the socket of a relay that runs is left to it', async (t) => {
  const first = rig(t)
  await first.server.start()
  const second = rig(t, { dataDir: first.dataDir })
  await t.rejects(second.server.start(), { code: 'STORE_LOCKED' })
  await second.server.stop()
  t.ok(await first.ask('status', {}))
})

t.test('what is no socket is never removed', async (t) => {
  const base = t.testdir({ file: {}, folder: {}, link: {} })
  const makers = {
    file: (path: string) => writeFile(path, 'precious'),
    folder: (path: string) => mkdir(path),
    link: (path: string) => symlink('/dev/null', path),
  }
  for (const [name, make] of Object.entries(makers)) {
    const dataDir = join(base, name)
    const { server, path } = rig(t, { dataDir })
    await make(path)
    await t.rejects(server.start(), { code: 'EXISTS' })
    await t.resolves(stat(path))
  }
})

t.test('a directory that is not there is an error with a name', async (t) => {
  for (const dataDir of [join(t.testdir(), 'gone'), join(t.testdir(), 'd'.repeat(200))]) {
    await t.rejects(rig(t, { dataDir }).server.start(), { code: 'STORE_FAILED' })
  }
})

t.test('what is no request is refused', async (t) => {
  const { server, dataDir } = rig(t)
  await server.start()
  for (const bytes of ['hello\n', '\n', '[]\n', 'null\n', '{"op":5}\n', Buffer.from([0xff, 10])]) {
    t.match(await answerTo(dataDir, bytes), { ok: false, error: { code: 'BAD_REQUEST' } })
  }
})

t.test('a request of the greatest size is served, a greater one refused', async (t) => {
  const { server, dataDir } = rig(t)
  await server.start()
  const frame = JSON.stringify({ op: 'x', input: '' }).length
  const request = (size: number) =>
    `${JSON.stringify({ op: 'x', input: 'y'.repeat(size - frame) })}\n`
  t.match(await answerTo(dataDir, request(LIMITS.controlRequestBytesMax)), { ok: true })
  t.match(await answerTo(dataDir, request(LIMITS.controlRequestBytesMax + 1)), {
    ok: false,
    error: { code: 'BAD_REQUEST' },
  })
})

t.test('a refusal keeps its code; what nobody expected is logged and not told', async (t) => {
  const { server, dataDir, lines } = rig(t, {
    perform: async (name) => {
      throw name === 'a' ? new RelayError('EXISTS', 'there is one') : new TypeError('secret path')
    },
  })
  await server.start()
  t.same(await answerTo(dataDir, '{"op":"a"}\n'), {
    ok: false,
    error: { code: 'EXISTS', message: 'there is one' },
  })
  const answer = await answerTo(dataDir, '{"op":"b"}\n')
  t.match(answer, { ok: false, error: { code: 'STORE_FAILED' } })
  t.notMatch(JSON.stringify(answer), /secret/)
  t.same(lines, ['operation failed'])
})

t.test('as many at once as allowed are served, one more is told to try again', async (t) => {
  const gate = Promise.withResolvers<string>()
  const full = Promise.withResolvers<void>()
  let open = 0
  const { server, ask, dataDir } = rig(t, {
    perform: () => {
      open += 1
      if (open === LIMITS.controlConnectionsMax) full.resolve()
      return gate.promise
    },
  })
  await server.start()
  const waiting = Array.from({ length: LIMITS.controlConnectionsMax }, () => ask('x', {}))
  // They come in any order: the way to a long directory goes through the file system.
  await full.promise
  t.match(await answerTo(dataDir, '{"op":"x"}\n'), { error: { code: 'TOO_MANY_ATTEMPTS' } })
  gate.resolve('done')
  t.equal((await Promise.all(waiting)).length, LIMITS.controlConnectionsMax)
  t.match(await answerTo(dataDir, '{"op":"x"}\n'), { ok: true })
})

t.test('who sends no request in time is disconnected', async (t) => {
  const { server, dataDir, tick, timers } = rig(t)
  await server.start()
  const socket = await reachRelay(dataDir)
  socket.write('{"op":')
  while (timers.size === 0) await new Promise(setImmediate)
  tick()
  await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).resume())
})

t.test('who goes away before the answer harms nobody', async (t) => {
  const gate = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  const { server, dataDir, ask } = rig(t, {
    perform: (name) => {
      asked.resolve()
      return name === 'slow' ? gate.promise : Promise.resolve('ok')
    },
  })
  await server.start()
  const socket = await reachRelay(dataDir)
  socket.write('{"op":"slow"}\n')
  await asked.promise
  socket.destroy()
  gate.resolve('done')
  t.equal(await ask('quick', {}), 'ok')
})

t.test('a stop answers what was asked before', async (t) => {
  const gate = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  const { server, dataDir, ask } = rig(t, {
    perform: () => {
      asked.resolve()
      return gate.promise
    },
  })
  await server.start()
  await reachRelay(dataDir)
  const answer = ask('x', {})
  await asked.promise
  const stopped = server.stop()
  gate.resolve('done')
  t.equal(await answer, 'done')
  await stopped
})
