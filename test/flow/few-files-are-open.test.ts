import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect as dial, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import { TestClient } from '../support/client.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const FILES_MAX = 64
const STRANGERS = 200

/** A relay that may have no more files and sockets open than a handful. */
async function start(t: Test): Promise<{ port: number; password: string }> {
  const folder = t.testdir({ data: {} })
  const dataDir = join(folder, 'data')
  const config = join(folder, 'waypost.yaml')
  const lines = [
    `data_dir: ${dataDir}`,
    'mqtt: { host: 127.0.0.1, port: 0, tls_port: 0 }',
    'http: { host: 127.0.0.1, port: 0 }',
    'mesh: { enabled: false }',
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  const command = `ulimit -n ${FILES_MAX}; exec "$0" "$@"`
  const child = spawn('sh', ['-c', command, process.execPath, MAIN, 'run', '--config', config])
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout) {
    output += chunk
    const port = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]
    if (port === undefined || !output.includes('listening')) continue
    const request = { op: 'user.add', input: { id: 'alice', isAdmin: false } }
    const answer = await askRelay(await reachRelay(dataDir), request, systemClock)
    return { port: Number(port), ...(answer as { password: string }) }
  }
  throw new Error(`the relay did not start: ${output}`)
}

async function stranger(port: number): Promise<Socket> {
  const socket = dial(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  return socket
}

t.test('more connections than files do not end the relay, nor lose a message', async (t) => {
  const { port, password } = await start(t)
  const account = { host: '127.0.0.1', port, username: 'alice', password, clientId: 'phone' }
  const client = new TestClient(await mqtt.connectAsync({ ...account, reconnectPeriod: 0 }))
  t.teardown(() => client.mqtt.end(true))
  await client.subscribe('users/alice/inbox/#')
  const strangers = await Promise.all(Array.from({ length: STRANGERS }, () => stranger(port)))
  for (let at = 0; at < 5; at += 1) await client.publish(`users/alice/inbox/alice/m${at}`, `${at}`)
  for (const socket of strangers) socket.destroy()
  await client.received(5)
  t.same(client.texts, ['0', '1', '2', '3', '4'])
  const other = await mqtt.connectAsync({ ...account, clientId: 'later', reconnectPeriod: 0 })
  t.teardown(() => other.end(true))
  t.ok(other.connected, 'there is room again')
})
