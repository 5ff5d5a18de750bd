/**
 * Every sequence of bytes that has ever ended a broker, or could: sent whole and cut in two at each
 * byte. A file of the corpus is a line `# VERSION: what it is`, and hex; the bytes follow a CONNECT
 * of that version, or, where it says `raw`, come first.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../support/client.ts'
import { connectPacket, open } from '../support/raw.ts'
import { startRelay } from '../support/relay.ts'

const CORPUS = join(import.meta.dirname, 'corpus')
/** Long ones are not cut at each byte. */
const CUTS_MAX = 32

type Nasty = { readonly what: string; readonly version: 4 | 5 | undefined; readonly bytes: Buffer }

function nastyIn(name: string): Nasty {
  const text = readFileSync(join(CORPUS, name), 'utf8')
  const [, version, what = ''] = /^# (raw|4|5): (.+)\n/.exec(text) ?? []
  if (version === undefined) throw new Error(`${name} does not begin with "# raw|4|5: what it is"`)
  const hex = text.replace(/^#.*$/gm, '').replace(/\s/g, '')
  const bytes = Buffer.from(hex, 'hex')
  return { what, version: version === 'raw' ? undefined : version === '5' ? 5 : 4, bytes }
}

t.test('a relay lives through the corpus, and serves others', async (t) => {
  const relay = await startRelay(t)
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const user = { name: 'alice', password: alice }
  const good = await connect(t, relay, { name: 'bob', password: bob })
  await good.subscribe('users/bob/inbox/#')

  async function send({ version, bytes }: Nasty, cut: number): Promise<void> {
    const client = await open(t, relay, version === undefined ? {} : { version })
    if (version !== undefined) {
      client.send(connectPacket(user, { version }))
      await client.next(2)
    }
    client.socket.write(bytes.subarray(0, cut))
    await setImmediate()
    client.socket.end(bytes.subarray(cut))
    await client.ended()
  }

  for (const [at, name] of readdirSync(CORPUS).entries()) {
    const nasty = nastyIn(name)
    const cuts = Math.min(nasty.bytes.length, CUTS_MAX)
    for (let cut = 0; cut <= cuts; cut += 1) await send(nasty, cut)
    await good.publish(`users/bob/inbox/bob/m${at}`, nasty.what)
    await good.received(at + 1)
    t.equal(good.texts.at(-1), nasty.what)
  }
  t.notOk(relay.lines.some(({ level }) => level === 'error'))
})
