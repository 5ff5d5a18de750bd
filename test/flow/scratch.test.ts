import t from 'tap'
import { once } from 'node:events'
import { startRelay } from '../support/relay.ts'
import { open, signIn, connectPacket } from '../support/raw.ts'
import { connect } from '../support/client.ts'
process.on('uncaughtException', (e) => { console.log('UNCAUGHT', e.stack?.slice(0, 600)) })
process.on('unhandledRejection', (e) => { console.log('UNHANDLED', (e as Error).stack?.slice(0, 600)) })
const which = process.env.W
const wait = (ms: number) => new Promise((r) => setTimeout(r, ms))
t.test('x', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const A = { name: 'alice', password: alice }
  const B = { name: 'bob', password: bob }
  if (which === 'dedupe') {
    for (const version of [4, 5] as const) {
      const c = await signIn(t, relay, A, { version })
      c.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '__proto__', qos: 1 }, { topic: 'things/#', qos: 1 }] })
      await Promise.race([c.ended(), c.next(9).then((f) => console.log(version, f))])
    }
    const c = await signIn(t, relay, A, {})
    c.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '__proto__', qos: 1 }] })
    console.log(await c.next(9))
  }
  if (which === 'utf8') {
    const reader = await connect(t, relay, B, { clientId: 'phone' })
    await reader.subscribe('users/bob/inbox/#')
    const c = await signIn(t, relay, A, { version: 5 })
    const topic = Buffer.from('users/bob/inbox/alice/m1')
    const val = Buffer.alloc(60000, 0xff)
    const prop = Buffer.concat([Buffer.from([0x26, 0, 1, 0x61, val.length >> 8, val.length & 255]), val])
    const len = Buffer.from([(prop.length & 127) | 128, ((prop.length >> 7) & 127) | 128, prop.length >> 14])
    const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, 1]), len, prop, Buffer.from('hi')])
    const rl = Buffer.from([(body.length & 127) | 128, ((body.length >> 7) & 127) | 128, body.length >> 14])
    c.socket.write(Buffer.concat([Buffer.from([0x32]), rl, body]))
    await Promise.race([wait(1500), c.ended()])
    console.log('frames', c.frames)
  }
  if (which === 'half') {
    const c = await signIn(t, relay, A, { allowHalfOpen: true })
    c.send({ cmd: 'disconnect' })
    await c.ended()
    c.socket.write(Buffer.alloc(1000))
    const closed = once(c.socket, 'close').then(() => 'closed')
    console.log(await Promise.race([closed, wait(5000).then(() => 'still open')]))
    console.log(relay.lines.slice(-5))
    const t0 = Date.now()
    await Promise.race([relay.stop(), wait(5000).then(() => console.log('STOP HANGS'))])
    console.log('stop took', Date.now() - t0)
    c.socket.destroy()
  }
  if (which === 'remove') {
    const c = await connect(t, relay, A, { clientId: '' })
    await c.subscribe('users/alice/inbox/#')
    console.log(await relay.ask('user.remove', { id: 'alice' }).catch((e) => e))
  }
  if (which === 'bomb') {
    for (const n of [100, 1000, 10000]) {
      const c = await signIn(t, relay, A, { clean: false, version: 4, clientId: `c${n}` })
      const t0 = Date.now()
      c.send({ cmd: 'subscribe', messageId: 1, subscriptions: Array.from({ length: n }, (_, i) => ({ topic: `things/a${i}/b`, qos: 1 as const })) })
      await Promise.race([c.ended(), c.next(9).then((f) => console.log(f.length))])
      console.log(n, Date.now() - t0)
    }
  }
  if (which === 'flood') {
    const thing = await relay.addThing('lamp')
    const reader = await connect(t, relay, A, { clientId: 'r' })
    await reader.subscribe('things/#', 0)
    const c = await signIn(t, relay, { name: 'thing:lamp', password: thing }, { version: 4 })
    const one = c.bytesOf({ cmd: 'publish', topic: 'things/lamp/a', payload: 'x', qos: 0, dup: false, retain: false })
    const many = Buffer.concat(Array.from({ length: 10000 }, () => one))
    console.log('rss', process.memoryUsage().rss / 1e6)
    for (let i = 0; i < 50; i++) { if (!c.socket.write(many)) await once(c.socket, 'drain') }
    console.log('rss', process.memoryUsage().rss / 1e6, 'arrived', reader.arrivals.length)
    await wait(3000)
    console.log('rss', process.memoryUsage().rss / 1e6, 'arrived', reader.arrivals.length)
  }
  if (which === 'qos2') {
    const c = await connect(t, relay, A, { protocolVersion: 4 })
    c.mqtt.on('close', () => console.log('CLOSED'))
    await Promise.race([Promise.all(Array.from({ length: 1000 }, (_, i) => c.publish(`users/bob/inbox/alice/q${i}`, 'x', { qos: 2 }))), c.closed()])
    console.log(await relay.ledger())
    await c.end()
  }
  if (which === 'takeover') {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => {
      return (async () => { try { const c = await connect(t, relay, A, { clientId: 'same', protocolVersion: i % 2 ? 4 : 5 }); return c } catch (e) { return undefined } })()
    }))
    await wait(1000)
    console.log('connected', all.filter((c) => c?.mqtt.connected).length, 'of', all.filter((c) => c).length)
    console.log(await relay.ask('status'))
    console.log(JSON.stringify(await relay.ask('device.list', { id: 'alice' })))
  }
  if (which === 'presence') {
    const c = await connect(t, relay, A, { clientId: 'p' })
    await relay.restart()
    const d = await connect(t, relay, B, { clientId: 'p' })
    await d.subscribe('users/+/presence')
    await wait(300)
    console.log(d.arrivals.map((a) => [a.topic, a.text]))
  }
})
