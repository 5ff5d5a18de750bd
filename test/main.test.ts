import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'

const MAIN = join(import.meta.dirname, '../src/main.ts')

function waypost(args: readonly string[], input = '') {
  const { npm_lifecycle_event: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { input, env })
  return { status, out: String(stdout), err: String(stderr) }
}

t.test('results go to stdout, talk to stderr, and the exit code says how it ended', async (t) => {
  t.match(waypost(['version']), { status: 0, out: /^waypost \d/, err: '' })
  t.match(waypost(['usr']), { status: 2, out: '', err: /^waypost: .*user/ })
  t.match(waypost(['status', '--data-dir', t.testdir()]), { status: 69, out: '' })
  t.match(waypost(['config', '--mqtt-port', 'x']), { status: 78, out: '', err: /^[^\n]+\n$/ })
})

t.test('a closed pipe ends it without a word', async (t) => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  await once(child, 'close')
  t.equal(err, '')
})

t.test('run listens, is administered through its socket, and ends with 0 on SIGTERM', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const flags = ['--data-dir', dataDir]
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'run',
      ...flags,
      '--mqtt-port',
      '0',
      '--mqtt-tls-port',
      '0',
      '--http-port',
      '0',
      '--json',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const [chunk] = await once(child.stdout, 'data')
  const { listening, firstAdmin } = JSON.parse(String(chunk))
  t.match(listening.mqtt, /^mqtt:\/\/0\.0\.0\.0:[1-9]/)
  t.match(firstAdmin, { id: 'admin', password: /.{22}/ })
  const added = waypost(['user', 'add', 'bob', '--password-stdin', '--json', ...flags], 'secret\n')
  t.match(added, { status: 0, err: '', out: '{"id":"bob","password":"secret"}\n' })
  t.match(waypost(['status', '--json', ...flags]), { status: 0, out: /"accepted":0/ })
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
  t.match(waypost(['user', 'list', '--json', ...flags]), { status: 0, out: /"bob"/ })
})
