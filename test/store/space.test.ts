import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import type { Disk } from '../../src/store/disk.ts'
import { freeBytesMin, reserveBytes, Space } from '../../src/store/space.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn } from './rig.ts'

const MIB = 1024 * 1024

/** A disk with room that the test sets; a reserve takes its part of it. */
class Pretended implements Disk {
  freeBytes = 1_000 * MIB
  totalBytes = 10_000 * MIB
  reserve = 0
  looks = 0
  isUnknown = false

  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    this.looks += 1
    if (this.isUnknown) throw new Error('EIO')
    return { freeBytes: this.freeBytes - this.reserve, totalBytes: this.totalBytes }
  }

  async allocate(_path: string, bytes: number): Promise<void> {
    this.reserve = bytes
  }

  async free(): Promise<void> {
    this.reserve = 0
  }
}

function parts() {
  const [clock, disk] = [new ManualClock(), new Pretended()]
  const space = new Space(
    { clock, disk, log: new KeptLog() },
    { folder: '/x', reserve: '/x/reserve' },
  )
  return { clock, disk, space }
}

t.test('bounds follow the limits on a large disk, and the disk on a small one', async (t) => {
  const large = { freeBytes: 0, totalBytes: 100_000 * MIB }
  const small = { freeBytes: 0, totalBytes: 16 * MIB }
  t.equal(freeBytesMin(large), LIMITS.diskFreeBytesMin)
  t.equal(reserveBytes(large), LIMITS.reserveBytes)
  t.equal(freeBytesMin(small), MIB)
  t.equal(reserveBytes(small), 2 * MIB)
})

t.test('the reserve is made at start where there is room', async (t) => {
  const { disk, space } = parts()
  await space.start(false)
  t.equal(disk.reserve, LIMITS.reserveBytes)
  t.notOk(space.isFull)
  await space.stop()
})

t.test('one byte below the bound is full, the bound is not', async (t) => {
  for (const [freeBytes, isFull] of [
    [LIMITS.diskFreeBytesMin + LIMITS.reserveBytes, false],
    [LIMITS.diskFreeBytesMin + LIMITS.reserveBytes - 1, true],
  ] as const) {
    const { disk, space } = parts()
    disk.freeBytes = freeBytes
    await space.start(false)
    t.equal(space.isFull, isFull)
    t.equal(disk.reserve, 0)
    await space.stop()
  }
})

t.test(
  'a write that found no room gives the reserve up; with room again it is made anew',
  async (t) => {
    const { clock, disk, space } = parts()
    await space.start(false)
    disk.freeBytes = LIMITS.reserveBytes
    await space.struck()
    t.ok(space.isFull)
    t.equal(disk.reserve, 0)
    disk.freeBytes = LIMITS.diskFreeBytesMin + LIMITS.reserveBytes
    clock.advance(1_000)
    await turn()
    t.ok(space.isFull, 'just enough is not enough to end a shortage')
    disk.freeBytes = 2 * LIMITS.diskFreeBytesMin + LIMITS.reserveBytes
    clock.advance(1_000)
    await turn()
    t.notOk(space.isFull)
    t.equal(disk.reserve, LIMITS.reserveBytes)
    await space.stop()
  },
)

t.test('it looks at most once a second, and not by itself while there is room', async (t) => {
  const { clock, disk, space } = parts()
  await space.start(false)
  for (let times = 0; times < 100; times += 1) space.watch()
  t.equal(disk.looks, 1)
  t.equal(clock.timers, 0)
  clock.advance(1_000)
  space.watch()
  space.watch()
  await turn()
  t.equal(disk.looks, 2)
  disk.freeBytes = 0
  clock.advance(1_000)
  space.watch()
  await turn()
  t.ok(space.isFull)
  t.equal(clock.timers, 1)
  await space.stop()
  t.equal(clock.timers, 0)
})

t.test('a disk that does not answer changes nothing', async (t) => {
  const { disk, space } = parts()
  disk.isUnknown = true
  await space.start(false)
  t.notOk(space.isFull)
  await space.stop()
})
