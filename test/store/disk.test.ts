import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemDisk } from '../../src/store/disk.ts'

t.test('it knows the space of a file system', async (t) => {
  const { freeBytes, totalBytes } = await systemDisk.space(t.testdir())
  t.ok(freeBytes > 0 && freeBytes <= totalBytes)
})

t.test('an allocated file really takes its space, and can be freed', async (t) => {
  const path = join(t.testdir(), 'reserve')
  await systemDisk.allocate(path, 1_000_001)
  const { size, blocks, mode } = statSync(path)
  t.equal(size, 1_000_001)
  t.ok(blocks * 512 >= size)
  t.equal(mode & 0o777, 0o600)
  await systemDisk.free(path)
  t.notOk(existsSync(path))
  await systemDisk.free(path)
})

t.test('where it cannot be made, nothing is left', async (t) => {
  const path = join(t.testdir({ reserve: {} }), 'reserve')
  await t.rejects(systemDisk.allocate(path, 10))
  t.notOk(existsSync(`${path}.new`))
})
