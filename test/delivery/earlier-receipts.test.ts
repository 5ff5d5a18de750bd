import t from 'tap'
import { earlierReceipts } from '../../src/delivery/earlier-receipts.ts'
import { userId } from '../../src/message/names.ts'
import type { TestDevice } from './device.ts'
import { Rig } from './rig.ts'

const alice = userId('alice')
const bob = userId('bob')

/** What a device of Alice is told, in order: `id status device`. */
async function toldTo(rig: Rig, id: string): Promise<string[]> {
  const device = rig.device(alice, id)
  const from = device.receipts.length
  await rig.quiet()
  await device.ackAll()
  device.leave()
  return inShort(device).slice(from)
}

function inShort({ receipts }: TestDevice): string[] {
  return receipts.map(({ id, status, device }) => [id, status, device].filter(Boolean).join(' '))
}

t.test('a sender who asks later is told everything once, in order', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  await phone.ackAll()
  await rig.send()
  t.same(await rig.keys('box/receipts/'), [], 'nothing was kept meanwhile')
  t.same(await toldTo(rig, 'pc'), ['m1 stored', 'm1 delivered phone', 'm1 delivered', 'm2 stored'])
  await phone.ackAll()
  t.same(await toldTo(rig, 'pc'), ['m2 delivered phone', 'm2 delivered'])
})

t.test('a second device is not told of what happened before the first one asked', async (t) => {
  const rig = await Rig.open(t)
  await rig.send()
  t.same(await toldTo(rig, 'pc'), ['m1 stored'])
  t.same(await toldTo(rig, 'pad'), [])
})

t.test('what happens while the earlier receipts are made is told once', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  await rig.send()
  const pc = rig.device(alice, 'pc')
  rig.hand()
  await phone.ackAll()
  await rig.quiet()
  await pc.ackAll()
  t.same(inShort(pc).toSorted(), [
    'm1 delivered',
    'm1 delivered phone',
    'm1 stored',
    'm2 delivered',
    'm2 delivered phone',
    'm2 stored',
  ])
})

t.test('a device that has it and one that has not are told apart', async (t) => {
  const rig = await Rig.open(t)
  const phone = rig.device(bob, 'phone')
  rig.device(bob, 'pad')
  await rig.send()
  await phone.ackAll()
  const receipts = await earlierReceipts(rig, alice)
  t.same(
    receipts.map(({ status, device }) => [status, device]),
    [
      ['stored', undefined],
      ['delivered', 'phone'],
    ],
  )
})

t.test('the wish to be told survives a restart', async (t) => {
  const rig = await Rig.open(t)
  await toldTo(rig, 'pc')
  await rig.restart()
  await rig.send()
  t.equal((await rig.keys('box/receipts/')).length, 1, 'kept for the device that is away')
})
