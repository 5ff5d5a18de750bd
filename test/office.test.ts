import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { type Config, loadConfig } from '../src/config/config.ts'
import { systemRandom } from '../src/ids.ts'
import { decodeRecord } from '../src/mailbox/record.ts'
import { messageId, userId } from '../src/message/names.ts'
import { Office } from '../src/office.ts'
import { copyStore } from './support/copy-store.ts'
import { KeptLog } from './support/kept-log.ts'
import { ManualClock } from './support/manual-clock.ts'

const alice = userId('alice')
const bob = userId('bob')

async function configOf(): Promise<Config> {
  const { config } = await loadConfig({
    flags: new Map(),
    env: {},
    file: undefined,
    readText: async () => undefined,
    hostName: 'test',
    workingDir: '/',
  })
  return config
}

async function officeAt(t: Test, path: string): Promise<{ office: Office; log: KeptLog }> {
  const log = new KeptLog()
  const parts = { clock: new ManualClock(), log, random: systemRandom, onPresence: () => undefined }
  const office = new Office(parts, await configOf(), path)
  t.teardown(() => office.stop())
  await office.start()
  return { office, log }
}

/** An office with alice, bob and a message that waits. */
async function furnished(t: Test) {
  const path = join(t.testdir(), 'store')
  const { office } = await officeAt(t, path)
  for (const user of [alice, bob]) await office.open.roster.addUser(user, { isAdmin: false })
  await send(office, 'first')
  return { path, office }
}

function send(office: Office, id: string): Promise<void> {
  const draft = { id: messageId(id), from: alice, to: bob, qos: 1, payload: Buffer.from('text') }
  return new Promise((resolve, reject) => {
    office.open.post.accept({ ...draft, qos: 1 }, { accepted: resolve, refused: reject })
  })
}

t.test(
  'everything is there again after a stop: users, mail, counts and the relay’s name',
  async (t) => {
    const { path, office } = await furnished(t)
    const { id } = office.open
    t.match(id, /^[0-9a-f]{16}$/)
    await office.stop()
    const { office: again, log } = await officeAt(t, path)
    t.equal(again.open.id, id)
    t.same(
      again.open.roster
        .users()
        .map((user) => user.id)
        .toSorted(),
      ['alice', 'bob'],
    )
    t.match(again.open.counts.ledger, { accepted: 1, queued: 1 })
    t.same([...log.texts('warn'), ...log.texts('error')], [])
  },
)

t.test('start and stop may be called twice, and nothing is open outside', async (t) => {
  const { office } = await furnished(t)
  await office.start()
  const { open } = office
  t.equal(office.open, open)
  await office.stop()
  await office.stop()
  t.throws(() => office.open)
})

t.test('two offices cannot share a store', async (t) => {
  const { path } = await furnished(t)
  await t.rejects(officeAt(t, path), { code: 'STORE_LOCKED' })
})

t.test('after a crash the numbers go on, and mail is where it was', async (t) => {
  const { path, office } = await furnished(t)
  const copy = `${path}-copy`
  copyStore(path, copy)
  const { office: again } = await officeAt(t, copy)
  await send(again, 'second')
  await send(office, 'second')
  t.match(again.open.counts.ledger, { accepted: 2, queued: 2 })
  t.equal(again.open.mailboxes.of('inbox', bob).messages, 2)
})

t.test('a store that has lost keys is mended, and the sender is told what is gone', async (t) => {
  const { path, office } = await furnished(t)
  await send(office, 'second')
  const { store } = office
  const scan = (prefix: string) => store.scan({ gte: prefix, lt: `${prefix}\uffff`, limit: 100 })
  const [first = ['']] = await scan('box/inbox/bob/')
  await office.stop()
  await loseKey(path, first[0].replace('box/inbox/bob', `entry/${await relayOf(path)}.1`))
  const { office: again, log } = await officeAt(t, path)
  t.ok(again.store.report.damages.length > 0, 'it is reported')
  t.match(again.open.counts.ledger, { accepted: 2, queued: 1, expired: 1 })
  t.match(log.texts('warn').at(-1), /mailboxes were made to agree/)
  const record = again.store.get('record/alice/bob/first')
  t.equal(decodeRecord(record ?? new Uint8Array()).status, 'expired')
})

/** The name of a relay that does not run. */
async function relayOf(path: string): Promise<string> {
  const { Level } = await import('level')
  const level = new Level<string, Buffer>(pairsOf(path), { valueEncoding: 'buffer' })
  const keys = await level.keys({ gte: 'entry/', lt: 'entry0', limit: 1 }).all()
  await level.close()
  return keys[0]?.split('/')[1]?.split('.')[0] ?? ''
}

/** Takes a key out behind the store's back. */
async function loseKey(path: string, key: string): Promise<void> {
  const { Level } = await import('level')
  const level = new Level<string, Buffer>(pairsOf(path), { valueEncoding: 'buffer' })
  await level.del(key, { sync: true })
  await level.close()
}

function pairsOf(path: string): string {
  const name = readdirSync(path).find((one) => one.startsWith('pairs-'))
  return join(path, name ?? '')
}
