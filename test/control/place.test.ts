import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { socketPlace } from '../../src/control/place.ts'

const PATH_BYTES_MAX = 107

t.test('a short directory is used as it is, whether or not it is there', async (t) => {
  const place = await socketPlace('/nowhere')
  t.equal(place.path, '/nowhere/control.sock')
  await place.close()
})

t.test(
  'a path of the greatest length is used as it is, a longer one through a handle',
  async (t) => {
    const dir = (bytes: number) => `/${'d'.repeat(bytes - '//control.sock'.length)}`
    const place = await socketPlace(dir(PATH_BYTES_MAX))
    t.equal(place.path, `${dir(PATH_BYTES_MAX)}/control.sock`)
    await place.close()
    // There is nothing of that name to get a handle of.
    await t.rejects(socketPlace(dir(PATH_BYTES_MAX + 1)), { code: 'ENOENT' })
  },
)

t.test('the length counts in bytes', async (t) => {
  const dir = join(t.testdir(), 'ü'.repeat(60))
  await mkdir(dir)
  const place = await socketPlace(dir)
  t.match(place.path, /^\/proc\/self\/fd\/\d+\/control\.sock$/)
  await place.close()
})

t.test('a long directory that is not there cannot be opened', async (t) => {
  await t.rejects(socketPlace(`/${'d'.repeat(200)}`), { code: 'ENOENT' })
})
