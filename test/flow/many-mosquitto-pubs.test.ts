import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { connect } from '../support/client.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

const run = promisify(execFile)
const COUNT = 50
const has = ['mosquitto_pub', 'mosquitto_sub'].every((name) => existsSync(`/usr/bin/${name}`))
const skip = has ? false : 'mosquitto_pub and mosquitto_sub (Debian: mosquitto-clients) are missing'

function args(relay: TestRelay, user: string, password: string): string[] {
  return ['-h', '127.0.0.1', '-p', `${relay.mqttPort}`, '-u', user, '-P', password, '-q', '1']
}

t.test('fifty publishes by mosquitto_pub hold no mail back', { skip }, async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const reader = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await reader.subscribe('users/bob/inbox/#')
  const publish = (at: number) =>
    run('mosquitto_pub', [
      ...args(relay, 'alice', alice),
      ...(at % 2 === 0 ? ['-V', 'mqttv5'] : []),
      ...(at % 3 === 0 ? ['-i', `pub-${at}`] : []),
      ...['-t', `users/bob/inbox/alice/m${at}`, '-m', `m${at}`],
    ])
  for (let at = 0; at < COUNT; at += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, more) => publish(at + more)))
  }
  await reader.received(COUNT)
  await reader.settled()
  t.same(new Set(reader.texts).size, COUNT)
  t.match(await relay.ledger(), { queued: 0, delivered: COUNT })
  const devices = (await relay.ask('device.list', { id: 'alice' })) as { takesMail: boolean }[]
  t.notOk(devices.some(({ takesMail }) => takesMail))
  await reader.publish('users/alice/inbox/bob/m1', 'to a user whose devices only publish')
  const phone = await connect(t, relay, { name: 'alice', password: alice }, { clientId: 'phone' })
  await phone.subscribe('users/alice/inbox/#')
  await phone.received(1)
})

t.test('mosquitto_sub gets what waits for it', { skip }, async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const pub = ['-t', 'users/bob/inbox/alice/m1', '-m', 'hello bob']
  await run('mosquitto_pub', [...args(relay, 'alice', alice), ...pub])
  const sub = ['-i', 'phone', '-c', '-C', '1', '-t', 'users/bob/inbox/#', '-F', '%t %p']
  const child = spawn('mosquitto_sub', [...args(relay, 'bob', bob), ...sub])
  t.teardown(() => child.kill())
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  t.equal(output.trim(), 'users/bob/inbox/alice/m1 hello bob')
  t.match(await relay.ledger(), { queued: 0, delivered: 1 })
})
