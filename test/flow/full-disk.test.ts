import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect, receipts } from '../support/client.ts'
import { startRelay } from '../support/relay.ts'

const SIZE_MIB = 24
const PAYLOAD = Buffer.alloc(100_000, 'x')
const skip =
  process.getuid?.() === 0 ? false : 'a file system of a few megabytes takes root to mount'

t.test('a full disk refuses, still delivers, and recovers by itself', { skip }, async (t) => {
  // Not a folder of the test's: tap removes that before a teardown can unmount.
  const dataDir = await mkdtemp(join(tmpdir(), 'waypost-full-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=700`, 'tmpfs', dataDir])
  const relay = await startRelay(t, { dataDir })
  t.teardown(async () => {
    await relay.stop()
    execFileSync('umount', [dataDir])
    await rmdir(dataDir)
  })
  const { alice, bob } = await relay.addUsers('alice', 'bob')
  const sender = await connect(t, relay, { name: 'alice', password: alice }, { clientId: 'desk' })
  await sender.subscribe('users/alice/receipts/#')
  // Somebody else fills the disk.
  const filler = join(dataDir, 'filler')
  const accepted: string[] = []
  const send = async () => {
    const id = `m${accepted.length}`
    const reason = await sender.publishForReason(`users/bob/inbox/alice/${id}`, PAYLOAD)
    if (reason === 0) accepted.push(id)
    return reason
  }
  for (let at = 0; at < 20; at += 1) await send()
  await fill(filler)
  let reason = 0
  while (reason === 0) reason = await send()
  t.equal(reason, 0x97)
  await sender.until((all) => receipts(all).some(({ status }) => status === 'refused'))
  t.ok(sender.mqtt.connected)

  const phone = await connect(t, relay, { name: 'bob', password: bob }, { clientId: 'phone' })
  await phone.subscribe('users/bob/inbox/#')
  await phone.received(accepted.length)
  t.same(
    phone.arrivals.map(({ topic }) => topic.split('/').at(-1)),
    accepted,
    'everything acknowledged is delivered',
  )
  await phone.settled()
  await rm(filler)
  reason = 0x97
  while (reason !== 0) reason = await send()
  await phone.received(accepted.length)
  t.pass('it takes messages again without anybody asking it to')
})

/** Leaves no room at all. */
async function fill(path: string): Promise<void> {
  for (let mib = SIZE_MIB; mib > 0; mib -= 1) {
    const isFull = await writeFile(path, Buffer.alloc(2 ** 20, 'x'), { flag: 'a' }).then(
      () => false,
      () => true,
    )
    if (isFull) return
  }
}
