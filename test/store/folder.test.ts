import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  isCode,
  isFilled,
  levelFiles,
  linkFolder,
  ownFolder,
  refuseForeign,
} from '../../src/store/folder.ts'
import { codeOf } from './rig.ts'

t.test('a folder is made for its owner alone, also deep down', async (t) => {
  const path = join(t.testdir(), 'a', 'b')
  await ownFolder(path)
  t.equal(statSync(path).mode & 0o777, 0o700)
  await ownFolder(path)
})

t.test('a link or anything else in place of a folder or file is refused', async (t) => {
  const path = t.testdir({ folder: {}, file: '' })
  symlinkSync(join(path, 'folder'), join(path, 'linked-folder'))
  symlinkSync(join(path, 'file'), join(path, 'linked-file'))
  for (const name of ['linked-folder', 'linked-file', 'folder', 'nothing']) {
    const expected = name === 'nothing' ? 'nothing thrown' : 'STORE_FAILED'
    t.equal(await codeOf(() => refuseForeign(join(path, name), 'file')), expected, name)
  }
  t.equal(await codeOf(() => refuseForeign(join(path, 'file'), 'folder')), 'STORE_FAILED')
  t.equal(await codeOf(() => ownFolder(join(path, 'linked-folder'))), 'STORE_FAILED')
})

t.test(
  'only the files that hold anything are linked, and what was in the way is gone',
  async (t) => {
    const path = t.testdir({
      from: {
        CURRENT: 'c',
        'MANIFEST-000001': 'm',
        '000003.log': 'l',
        '000002.ldb': 't',
        LOG: '',
        LOCK: '',
      },
      to: { '000009.ldb': 'old' },
    })
    const [from, to] = [join(path, 'from'), join(path, 'to')]
    await linkFolder(from, to)
    t.same(readdirSync(to).sort(), ['000002.ldb', '000003.log', 'CURRENT', 'MANIFEST-000001'])
    t.same(await levelFiles(to), await levelFiles(from))
    t.equal(statSync(join(to, 'CURRENT')).ino, statSync(join(from, 'CURRENT')).ino)
    t.equal(readFileSync(join(to, '000003.log'), 'utf8'), 'l')
  },
)

t.test('a folder that is not there cannot be linked', async (t) => {
  const path = t.testdir()
  await t.rejects(linkFolder(join(path, 'from'), join(path, 'to')), { code: 'ENOENT' })
})

t.test('a folder in place of a file cannot be linked', async (t) => {
  const path = t.testdir()
  mkdirSync(join(path, 'from', 'CURRENT'), { recursive: true })
  writeFileSync(join(path, 'from', '000001.log'), '')
  await t.rejects(linkFolder(join(path, 'from'), join(path, 'to')))
})

t.test('a file with something in it is told from one without, or none', async (t) => {
  const path = t.testdir({ full: 'x', empty: '' })
  t.same(await Promise.all(['full', 'empty', 'none'].map((name) => isFilled(join(path, name)))), [
    true,
    false,
    false,
  ])
})

t.test('an error is known by its code', async (t) => {
  t.ok(isCode(Object.assign(new Error('x'), { code: 'EIO' }), 'EPERM', 'EIO'))
  t.notOk(isCode(new Error('EIO'), 'EIO'))
  t.notOk(isCode('EIO', 'EIO'))
})
