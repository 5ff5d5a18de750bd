/**
 * Plays mosquitto_sub and mosquitto_pub where they go and come back: wills of those who are killed
 * and of those who say goodbye, and sessions that last or do not.
 */
import t from 'tap'
import { format, Mosquitto, messages, received, skip, VERSIONS } from './mosquitto.ts'

t.test('a will comes when its client is killed', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const watcher = await mosquitto.sub('-q', '2', '-t', 'lab/will/#', ...format('%q %r %t %p'))
  let count = 0
  for (const version of VERSIONS) {
    for (const qos of ['0', '1', '2']) {
      const topic = `lab/will/${version}/${qos}`
      const client = await mosquitto.sub(
        ...['-V', version, '-t', 'lab/other', '--will-topic', topic, '--will-payload', 'gone'],
        ...['--will-qos', qos, '--will-retain'],
      )
      client.kill('SIGKILL')
      count += 1
      t.equal((await received(watcher, count)).at(-1), `${qos} 0 ${topic} gone`)
    }
  }
  const late = await mosquitto.sub('-q', '2', '-t', 'lab/will/#', ...format('%r %p'))
  t.same(new Set(await received(late, count)), new Set(['1 gone']))
})

t.test('a will comes after a DISCONNECT only where that says so', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const watcher = await mosquitto.sub('-q', '1', '-t', 'lab/will/#', ...format('%t'))
  const will = (topic: string) => ['-t', 'lab/other', '--will-topic', topic, '--will-qos', '1']
  // mosquitto_sub says goodbye when it is told to end, and with MQTT 5 asks for its will (0x04).
  const clients = await Promise.all(
    VERSIONS.map((version) => mosquitto.sub('-V', version, ...will(`lab/will/${version}`))),
  )
  // Its signal handler takes locks that the program may hold while it prints: let them rest first.
  await mosquitto.pub('-q', '1', '-t', 'lab/elsewhere', '-m', 'x')
  for (const client of clients) client.kill('SIGTERM')
  await Promise.all(clients.map((client) => client.ended()))
  // One that has all that it wanted leaves without.
  const counted = await mosquitto.sub('-V', 'mqttv5', '-C', '1', ...will('lab/will/counted'))
  await mosquitto.pub('-q', '1', '-t', 'lab/other', '-m', 'x')
  t.equal((await counted.ended()).code, 0)
  await mosquitto.pub('-q', '1', '-t', 'lab/will/end', '-m', 'x')
  await watcher.line(/^>lab\/will\/end$/)
  t.same(messages(watcher.lines), ['lab/will/mqttv5', 'lab/will/end'])
})

t.test('what a will carries arrives, and a retained message keeps it', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const client = await mosquitto.sub(
    ...['-V', 'mqttv5', '-t', 'lab/other', '--will-topic', 'lab/will', '--will-payload', 'gone'],
    ...['--will-retain', '--will-qos', '1', '-D', 'will', 'content-type', 'text/plain'],
    ...['-D', 'will', 'user-property', 'why', 'killed'],
  )
  const fields = [
    ...['-V', 'mqttv5', '-q', '1', '-t', 'lab/will', '-C', '1'],
    ...format('%r|%C|%P'),
  ]
  const live = await mosquitto.sub(...fields)
  client.kill()
  t.same(messages((await live.ended()).stdout), ['0|text/plain|why:killed'])
  const late = await mosquitto.sub(...fields)
  t.same(messages((await late.ended()).stdout), ['1|text/plain|why:killed'])
})

t.test('a session that lasts keeps what came meanwhile, in order', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const { bob } = mosquitto
  const sessions = [
    ['-V', 'mqttv31', '-c'],
    ['-V', 'mqttv311', '-c'],
    ['-V', 'mqttv5', '-c'],
    ['-V', 'mqttv5', '-c', '-x', '3600'],
  ]
  for (const [at, flags] of sessions.entries()) {
    const args = [...flags, '-i', `desk-${at}`, '-q', '1', '-t', `lab/${at}`]
    // -E ends the client when the relay has taken its subscription.
    t.equal((await (await mosquitto.sub(...args, '-E')).ended()).code, 0)
    const texts = ['one', 'two', 'three']
    for (const text of texts) await mosquitto.pub('-q', '1', '-t', `lab/${at}`, '-m', text)
    const back = mosquitto.run('mosquitto_sub', bob, ...args, '-C', '3', ...format('%q %p'))
    t.same(
      messages((await back.ended()).stdout),
      texts.map((text) => `1 ${text}`),
      flags.join(' '),
    )
  }
})

t.test('a session that does not last keeps nothing', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const sessions = [
    ['-V', 'mqttv311'],
    ['-V', 'mqttv5'],
    ['-V', 'mqttv5', '-c', '-x', '0'],
  ]
  for (const [at, flags] of sessions.entries()) {
    const args = ['-i', `desk-${at}`, '-q', '1', '-t', 'lab/a']
    await (await mosquitto.sub(...flags, ...args, '-E')).ended()
    await mosquitto.pub('-q', '1', '-t', 'lab/a', '-m', 'missed')
    const back = await mosquitto.sub(...flags, '-c', ...args, '-C', '1', ...format('%p'))
    await mosquitto.pub('-q', '1', '-t', 'lab/a', '-m', 'seen')
    t.same(messages((await back.ended()).stdout), ['seen'], flags.join(' '))
  }
})

t.test('a clean start ends an older session', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  for (const version of VERSIONS) {
    const args = ['-V', version, '-i', `desk-${version}`, '-q', '1']
    await (await mosquitto.sub(...args, '-c', '-t', 'lab/a', '-E')).ended()
    await mosquitto.pub('-q', '1', '-t', 'lab/a', '-m', 'forgotten')
    await (await mosquitto.sub(...args, '-t', 'lab/b', '-E')).ended()
    const back = await mosquitto.sub(...args, '-c', '-t', 'lab/b', '-C', '1', ...format('%p'))
    await mosquitto.pub('-q', '1', '-t', 'lab/b', '-m', 'seen')
    t.same(messages((await back.ended()).stdout), ['seen'], version)
  }
})

t.test('-U takes a subscription away from a session that lasts', { skip }, async (t) => {
  const mosquitto = await Mosquitto.start(t)
  const args = ['-i', 'desk', '-c', '-q', '1']
  await (await mosquitto.sub(...args, '-t', 'lab/a', '-t', 'lab/b', '-E')).ended()
  await (await mosquitto.sub(...args, '-U', 'lab/a', '-t', 'lab/c', '-E')).ended()
  for (const name of ['a', 'b']) await mosquitto.pub('-q', '1', '-t', `lab/${name}`, '-m', name)
  const back = [...args, '-t', 'lab/c', '-C', '1', ...format('%p')]
  const { stdout } = await mosquitto.run('mosquitto_sub', mosquitto.bob, ...back).ended()
  t.same(messages(stdout), ['b'])
})
