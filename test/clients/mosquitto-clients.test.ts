/**
 * Plays mosquitto_pub, mosquitto_sub and mosquitto_rr with the flags that people and their scripts
 * use: versions, QoS, retained messages, properties, lines from a pipe, and requests.
 */
import t from 'tap'
import { connect } from '../support/client.ts'
import { format, launchTool, Mosquitto, messages, received, skip, VERSIONS } from './mosquitto.ts'

t.test('each version hears each other, with each QoS', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const readers = await Promise.all(
    VERSIONS.map((version) =>
      mosquitto.sub('-V', version, '-q', '2', '-t', 'lab/#', ...format('%q %r %t %p')),
    ),
  )
  const wanted: string[] = []
  for (const version of VERSIONS) {
    for (const qos of ['0', '1', '2']) {
      const topic = `lab/${version}/${qos}`
      const { code } = await mosquitto.pub('-V', version, '-q', qos, '-t', topic, '-m', 'hi')
      t.equal(code, 0)
      wanted.push(`${qos} 0 ${topic} hi`)
    }
  }
  // One of QoS 2 is shown when it is released, which may be after the next message.
  for (const reader of readers) {
    t.same((await received(reader, wanted.length)).toSorted(), wanted.toSorted())
  }
})

t.test('a subscription with a lower QoS gets no more than that', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  for (const version of VERSIONS) {
    const reader = await mosquitto.sub('-V', version, '-q', '0', '-t', 'lab/a', ...format('%q %p'))
    await mosquitto.pub('-V', version, '-q', '2', '-t', 'lab/a', '-m', version)
    t.same(await received(reader, 1), [`0 ${version}`])
  }
})

t.test('mail goes to the inbox with each version', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  for (const version of VERSIONS) {
    const reader = await mosquitto.sub(
      ...['-V', version, '-i', `phone-${version}`, '-q', '1', '-t', 'users/bob/inbox/#'],
      ...['-C', '1', ...format('%t %p')],
    )
    const topic = `users/bob/inbox/alice/${version}`
    t.equal((await mosquitto.pub('-V', version, '-q', '1', '-t', topic, '-m', 'hi')).code, 0)
    const { code, stdout } = await reader.ended()
    t.equal(code, 0)
    t.same(messages(stdout), [`${topic} hi`])
    // A device that has gone holds mail; the next version shall not wait for this one.
    await mosquitto.relay.ask('device.revoke', { user: 'bob', device: `phone-${version}` })
  }
  t.match(await mosquitto.relay.ledger(), { accepted: 3, queued: 0 })
})

t.test('-r keeps a message, and -r -n clears it', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const late = async (version: string) => {
    // Asked for after the other filter, the marker comes after all that this one brings.
    const reader = mosquitto.run(
      ...(['mosquitto_sub', mosquitto.bob, '-V', version, '-q', '1', '-t', 'lab/kept'] as const),
      ...['-t', 'lab/marker', ...format('%r %t %p')],
    )
    await reader.line(/^>1 lab\/marker end$/)
    reader.kill()
    return messages(reader.lines)
  }
  await mosquitto.pub('-q', '1', '-r', '-t', 'lab/marker', '-m', 'end')
  for (const version of VERSIONS) {
    await mosquitto.pub('-V', version, '-q', '1', '-r', '-t', 'lab/kept', '-m', 'first')
    await mosquitto.pub('-V', version, '-q', '1', '-r', '-t', 'lab/kept', '-m', version)
    t.same(await late(version), [`1 lab/kept ${version}`, '1 lab/marker end'])
    t.equal((await mosquitto.pub('-V', version, '-q', '1', '-r', '-n', '-t', 'lab/kept')).code, 0)
    t.same(await late(version), ['1 lab/marker end'])
  }
})

t.test('--retained-only ends with the first live message', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  for (const name of ['a', 'b']) {
    await mosquitto.pub('-q', '1', '-r', '-t', `lab/${name}`, '-m', name)
  }
  const reader = await mosquitto.sub('-q', '1', '--retained-only', '-t', 'lab/#', ...format('%p'))
  await received(reader, 2)
  await mosquitto.pub('-q', '1', '-t', 'lab/c', '-m', 'live')
  const { code, stdout } = await reader.ended()
  t.equal(code, 0)
  t.same(messages(stdout).sort(), ['a', 'b'])
})

t.test('--remove-retained cleans up, but for what -T leaves out', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const names = ['a', 'b', 'c']
  for (const name of names) await mosquitto.pub('-q', '1', '-r', '-t', `lab/${name}`, '-m', name)
  const watcher = await mosquitto.sub('-q', '1', '-R', '-t', 'lab/#', ...format('%t%p'))
  const cleaner = await mosquitto.sub('--remove-retained', '-t', 'lab/#', '-T', 'lab/c')
  // Each is taken away by an empty message, which everybody sees.
  t.same((await received(watcher, 2)).sort(), ['lab/a', 'lab/b'])
  cleaner.kill()
  const late = await mosquitto.sub('-q', '1', '-C', '1', '-t', 'lab/#', ...format('%p'))
  t.same(messages((await late.ended()).stdout), ['c'])
})

const PROPERTIES = [
  ...['-D', 'publish', 'user-property', 'colour', 'blue'],
  ...['-D', 'publish', 'user-property', 'colour', 'dark blue'],
  ...['-D', 'publish', 'content-type', 'text/plain'],
  ...['-D', 'publish', 'payload-format-indicator', '1'],
  ...['-D', 'publish', 'response-topic', 'lab/answers'],
  ...['-D', 'publish', 'correlation-data', 'c-17'],
  ...['-D', 'publish', 'message-expiry-interval', '600'],
]

t.test('properties arrive as they were sent', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const fields = format('%C|%D|%F|%R|%E|%P|%p')
  for (const topic of ['lab/a', 'users/bob/inbox/alice/m1']) {
    const args = ['-V', 'mqttv5', '-i', 'phone', '-q', '1', '-t', topic, '-C', '1']
    const reader = await mosquitto.sub(...args, ...fields)
    const { code } = await mosquitto.pub(
      ...['-V', 'mqttv5', '-q', '1', '-t', topic, '-m', 'hi', ...PROPERTIES],
    )
    t.equal(code, 0)
    const [message = ''] = messages((await reader.ended()).stdout)
    const [type, data, isText, answer, expiry, user, text] = message.split('|')
    t.same(
      [type, data, isText, answer, text],
      ['text/plain', 'c-17', '1', 'lab/answers', 'hi'],
      topic,
    )
    t.match(user, /^colour:blue colour:dark blue/, topic)
    t.ok(Number(expiry) > 590 && Number(expiry) <= 600, `${topic}: ${expiry} s are left`)
  }
})

t.test('a subscription identifier comes with its messages', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const reader = await mosquitto.sub(
    ...['-V', 'mqttv5', '-t', 'lab/a', '-C', '1', ...format('%S %p')],
    ...['-D', 'subscribe', 'subscription-identifier', '7'],
  )
  await mosquitto.pub('-t', 'lab/a', '-m', 'hi')
  t.same(messages((await reader.ended()).stdout), ['7 hi'])
})

t.test('-l sends each line of a pipe', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const lines = Array.from({ length: 200 }, (_, at) => `line ${at}`)
  for (const qos of ['0', '1', '2']) {
    const reader = await mosquitto.sub('-q', qos, '-t', `lab/${qos}`, ...format('%p'))
    const writer = mosquitto.run(
      ...(['mosquitto_pub', mosquitto.alice, '-l', '-q', qos, '-t', `lab/${qos}`] as const),
    )
    writer.write(`${lines.join('\n')}\n`)
    writer.endInput()
    t.equal((await writer.ended()).code, 0)
    t.same(await received(reader, lines.length), lines, `QoS ${qos}`)
  }
})

t.test('-s sends a whole pipe, and --repeat the same message again', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const reader = await mosquitto.sub('-q', '1', '-t', 'lab/a', ...format('%l'))
  const writer = mosquitto.run('mosquitto_pub', mosquitto.alice, '-s', '-q', '1', '-t', 'lab/a')
  writer.write('x'.repeat(200_000))
  writer.endInput()
  t.equal((await writer.ended()).code, 0)
  t.same(await received(reader, 1), ['200000'])
  await mosquitto.pub('-q', '1', '-t', 'lab/a', '-m', 'four', '--repeat', '5')
  t.same((await received(reader, 6)).slice(1), Array(5).fill('4'))
})

t.test('mosquitto_rr gets the answer to its request', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const { relay, bob } = mosquitto
  const responder = await connect(t, relay, bob)
  responder.mqtt.on('message', (_topic, payload, { properties }) => {
    const { correlationData } = properties ?? {}
    responder.mqtt.publish(properties?.responseTopic ?? 'lab/answer', `${payload}, yes`, {
      ...(correlationData === undefined ? {} : { properties: { correlationData } }),
    })
  })
  await responder.subscribe('lab/ask')
  for (const version of ['mqttv5', 'mqttv311']) {
    for (const qos of ['0', '1', '2']) {
      const request = mosquitto.run(
        ...(['mosquitto_rr', mosquitto.alice, '-V', version, '-q', qos, '-t', 'lab/ask'] as const),
        ...['-e', 'lab/answer', '-m', 'is it you', '-F', '%t %D %p', '-W', '20'],
        ...(version === 'mqttv5' ? ['-D', 'publish', 'correlation-data', '17'] : []),
      )
      const { code, stdout } = await request.ended()
      t.equal(code, 0)
      const data = version === 'mqttv5' ? '17' : ''
      t.same(stdout, [`lab/answer ${data} is it you, yes`], `${version}, QoS ${qos}`)
    }
  }
})

t.test('over TLS they trust the authority of the relay', { skip }, async (t) => {
  const { relay, alice, bob } = await Mosquitto.start(t)
  const args = ['-h', '127.0.0.1', '-p', `${relay.tlsPort}`]
  const secure = [...args, '--cafile', `${relay.dataDir}/tls/ca.crt`, '-q', '1', '-t', 'lab/a']
  const login = ({ name, password }: typeof alice) => ['-u', name, '-P', password]
  const reader = launchTool(t, 'mosquitto_sub', [...secure, ...login(bob), '-d', '-C', '1'])
  await reader.line(/^Subscribed/)
  const writer = launchTool(t, 'mosquitto_pub', [...secure, ...login(alice), '-m', 'hi'])
  t.equal((await writer.ended()).code, 0)
  t.ok((await reader.ended()).stdout.includes('hi'))
})
