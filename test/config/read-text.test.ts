import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readText } from '../../src/config/read-text.ts'
import { LIMITS } from '../../src/limits.ts'

t.test('a file is read whole, a missing one is undefined', async (t) => {
  const dir = t.testdir({ 'w.yaml': 'a: ü' })
  t.equal(await readText(join(dir, 'w.yaml')), 'a: ü')
  t.equal(await readText(join(dir, 'gone.yaml')), undefined)
})

t.test('what is no file, or cannot be reached, is refused', async (t) => {
  const dir = t.testdir({ file: '' })
  await mkdir(join(dir, 'folder'))
  await t.rejects(readText(join(dir, 'folder')), { code: 'CONFIG_INVALID' })
  await t.rejects(readText(join(dir, 'file', 'w.yaml')), { code: 'CONFIG_INVALID' })
})

t.test('a file of the greatest size is read, a greater one is refused', async (t) => {
  const path = join(t.testdir(), 'w.yaml')
  await writeFile(path, '#'.repeat(LIMITS.configBytesMax))
  t.equal((await readText(path))?.length, LIMITS.configBytesMax)
  await writeFile(path, '#'.repeat(LIMITS.configBytesMax + 1))
  await t.rejects(readText(path), { code: 'CONFIG_INVALID' })
})
