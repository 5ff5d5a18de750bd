import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { askRelay, reachRelay } from '../../src/control/client.ts'
import { TestClient } from '../support/client.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const COUNT = 100
const KILLS = 2

type Process = { readonly child: ChildProcess; readonly url: string }

async function start(t: Test, config: string): Promise<Process> {
  const child = spawn(process.execPath, [MAIN, 'run', '--config', config])
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  for await (const chunk of child.stdout) {
    output += chunk
    const url = /mqtt:\/\/[^\s"]+:\d+/.exec(output)
    if (url !== null && output.includes('listening')) return { child, url: url[0] }
  }
  throw new Error(`the relay did not start: ${output}`)
}

async function kill({ child }: Process): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function connect(t: Test, url: string, username: string, password: string) {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    clientId: 'phone',
    username,
    password,
    reconnectPeriod: 0,
  })
  t.teardown(() => client.end(true))
  return new TestClient(client)
}

t.test('a relay that is killed right after PUBACK has the message', async (t) => {
  const dataDir = t.testdir({ data: {} })
  const config = join(dataDir, 'waypost.yaml')
  const lines = [
    `data_dir: ${join(dataDir, 'data')}`,
    'mqtt: { host: 127.0.0.1, port: 0 }',
    'http: { host: 127.0.0.1, port: 0 }',
    'mesh: { enabled: false }',
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  let relay = await start(t, config)
  const add = async (id: string): Promise<string> => {
    const socket = await reachRelay(join(dataDir, 'data'))
    const request = { op: 'user.add', input: { id, isAdmin: false } }
    return ((await askRelay(socket, request, systemClock)) as { password: string }).password
  }
  const alice = await add('alice')
  const bob = await add('bob')
  const acknowledged: string[] = []
  for (let round = 0; round < KILLS; round += 1) {
    const sender = await connect(t, relay.url, 'alice', alice)
    const sent = Array.from({ length: COUNT }, async (_, at) => {
      const text = `r${round}-${at}`
      await sender.publish(`users/bob/inbox/alice/${text}`, text)
      acknowledged.push(text)
    })
    await sent.at(-1)
    await kill(relay)
    relay = await start(t, config)
  }
  const reader = await connect(t, relay.url, 'bob', bob)
  await reader.subscribe('users/bob/inbox/#')
  await reader.until(() => acknowledged.every((text) => reader.texts.includes(text)))
  t.equal(acknowledged.length, KILLS * COUNT)
  t.same(reader.texts, acknowledged, 'all, once, in order')
  await kill(relay)
})
