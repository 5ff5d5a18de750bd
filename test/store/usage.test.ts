import t from 'tap'
import { diskUsage } from '../../src/store/usage.ts'

t.test('it is the sum of all files, and no more than the disk has', async (t) => {
  const folder = t.testdir({
    one: 'x'.repeat(1_000),
    deep: { two: 'x'.repeat(500), deeper: { three: 'x'.repeat(250) } },
    link: t.fixture('symlink', 'one'),
  })
  const { usedBytes, maxBytes } = await diskUsage(folder, Number.POSITIVE_INFINITY)
  t.equal(usedBytes, 1_750)
  t.ok(maxBytes > usedBytes && Number.isFinite(maxBytes))
})

t.test('what the operator allows is the bound where it is less', async (t) => {
  const folder = t.testdir({ one: 'x' })
  t.same(await diskUsage(folder, 100), { usedBytes: 1, maxBytes: 100 })
})

t.test('a folder that is not there fails', async (t) => {
  await t.rejects(diskUsage(`${t.testdir()}/none`, 100), { code: 'ENOENT' })
})
